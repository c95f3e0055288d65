//! Cohorts as they are listed and shown.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use indicatif::HumanCount;
use serde_json::json;

use super::freeze::print_steps;
use crate::archive::{Archive, Recipe};
use crate::page::{FlowStep, flow_chart};

pub(super) fn list(archive: &Archive, json: bool) -> Result<()> {
    let (cohorts, queries) = (archive.store().cohorts()?, archive.store().saved_queries()?);
    if json {
        let cohorts = cohorts.iter().map(|cohort| {
            json!({
                "name": cohort.name,
                "frozen_at": cohort.frozen_at,
                "reports": cohort.members,
                "hash": cohort.hash,
            })
        });
        let queries = queries.iter().map(
            |saved| json!({"name": saved.name, "saved_at": saved.saved_at, "query": saved.query}),
        );
        let all = json!({
            "cohorts": cohorts.collect::<Vec<_>>(),
            "queries": queries.collect::<Vec<_>>(),
        });
        println!("{all:#}");
        return Ok(());
    }
    for cohort in &cohorts {
        let reports = HumanCount(cohort.members).to_string();
        println!("cohort  {:24} {reports:>12} reports   {}", cohort.name, cohort.frozen_at);
    }
    for saved in &queries {
        println!("query   {:24} {}", saved.name, saved.query);
    }
    Ok(())
}

pub(super) fn show(archive: &Archive, name: &str, json: bool, flow: Option<&Path>) -> Result<()> {
    let cohort = archive.store().cohort(name)?;
    let recipe = Archive::recipe(&cohort)?;
    if let Some(path) = flow {
        let is_svg = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("svg"));
        ensure!(is_svg, "`{}`: the steps are drawn as SVG; name the file .svg", path.display());
        let steps: Vec<FlowStep> = recipe.steps.iter().map(flow_step).collect();
        fs::write(path, flow_chart(&cohort.name, &steps)?)
            .with_context(|| format!("`{}` cannot be written", path.display()))?;
    }
    let mut parts: BTreeMap<String, u64> = BTreeMap::new();
    for member in archive.store().members(&cohort)? {
        if let Some(part) = member.part {
            *parts.entry(part).or_default() += 1;
        }
    }
    if json {
        let shown = json!({
            "name": cohort.name,
            "frozen_at": cohort.frozen_at,
            "reports": cohort.members,
            "hash": cohort.hash,
            "parts": parts,
            "recipe": recipe,
        });
        println!("{shown:#}");
        return Ok(());
    }
    print_steps(&recipe.steps);
    println!("{} reports, frozen {}", HumanCount(cohort.members), cohort.frozen_at);
    for (part, reports) in &parts {
        println!("{:>12} reports to {part}", HumanCount(*reports).to_string());
    }
    println!("by deepspine {}, {}", recipe.software, recipe.readers.join(", "));
    println!("hash {}", cohort.hash);
    Ok(())
}

fn flow_step(step: &crate::archive::Step) -> FlowStep {
    FlowStep {
        name: step.name.clone(),
        reports: step.reports,
        studies: step.studies,
        patients: step.patients,
    }
}

/// What does not come out the same is no error of the command; its exit code tells it apart.
pub(super) fn check(archive: &Archive, name: &str) -> Result<ExitCode> {
    let cohort = archive.store().cohort(name)?;
    let recipe: Recipe = Archive::recipe(&cohort)?;
    let again = archive.choose_again(&recipe)?;
    if again.hash() == cohort.hash {
        println!("the same {} reports are chosen again", HumanCount(cohort.members));
        return Ok(ExitCode::SUCCESS);
    }
    let versions = |members: &[crate::store::Member]| {
        members
            .iter()
            .map(|m| (m.version, m.part.clone()))
            .collect::<std::collections::HashSet<_>>()
    };
    let before = versions(&archive.store().members(&cohort)?);
    let after = versions(&again.members);
    println!(
        "chosen today: {} that are not in the cohort, and not {} that are",
        HumanCount(after.difference(&before).count() as u64),
        HumanCount(before.difference(&after).count() as u64),
    );
    print_steps(&again.steps);
    Ok(super::super::INCOMPLETE.into())
}
