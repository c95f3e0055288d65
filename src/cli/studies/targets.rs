//! Where studies' folders go. What is in the place of one goes when the new one is complete, so that
//! nothing may be there but what an earlier run has made.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{self, Component, Path, PathBuf};

use anyhow::{Result, bail, ensure};

use super::{StudyArgs, masks, record};

/// Makes sure that no study's folder is or holds anything that is read: that would be lost.
pub(super) fn check_apart(
    args: &StudyArgs,
    studies: &[PathBuf],
    names: &[String],
    output: &Path,
) -> Result<()> {
    let mut read = [&args.studies[..], studies].concat();
    if let Some(folder) = &args.masks {
        read.extend(names.iter().flat_map(|name| masks::places(folder, name)));
    }
    let inputs: BTreeMap<PathBuf, &PathBuf> = read.iter().map(|path| (real(path), path)).collect();
    let home = real(output);
    for name in names {
        let target = real(&home.join(name));
        // Paths are ordered part by part, so that what lies in a folder comes right after it.
        let within = inputs.range(target.clone()..).next();
        if let Some((_, input)) = within.filter(|(path, _)| path.starts_with(&target)) {
            bail!(
                "what is made of `{name}` would take the place of `{}`, which holds `{}` and would be \
                 lost; choose a folder elsewhere with -o",
                output.join(name).display(),
                input.display()
            );
        }
    }
    Ok(())
}

/// Makes sure that what is in the place of a study's folder is one that an earlier run has made.
pub(super) fn check_ours(target: &Path) -> Result<()> {
    let is_foreign = match fs::read_dir(target) {
        Ok(mut entries) => entries.next().is_some() && !is_made(target),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    };
    ensure!(
        !is_foreign,
        "`{}` is there already, is not what was made of a study, and would be lost; choose another \
         folder with -o",
        target.display()
    );
    Ok(())
}

/// Whether a folder has the record of a study.
fn is_made(target: &Path) -> bool {
    record(target).is_some_and(|of| of["study"].is_string() && of["levels"].is_array())
}

/// Whether two paths lead to the same place.
pub(super) fn are_same(one: &Path, other: &Path) -> bool {
    real(one) == real(other)
}

/// Where a path leads, with links followed, also where not all of it is there yet.
fn real(path: &Path) -> PathBuf {
    let whole = path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut real = PathBuf::new();
    for part in whole.components() {
        match part {
            Component::ParentDir => {
                real.pop();
            }
            part => real.push(part),
        }
        real = real.canonicalize().unwrap_or(real);
    }
    real
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_the_same_place_however_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().canonicalize().unwrap();
        fs::create_dir(home.join("one")).unwrap();
        for way in ["one/../one/two", "none/../one/./two", "one/two"] {
            assert_eq!(real(&folder.path().join(way)), home.join("one/two"), "{way}");
        }
    }
}
