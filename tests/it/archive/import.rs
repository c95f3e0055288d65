//! `import` and its kin as their users see them, and as a power failure sees them.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use deepspine::archive::Archive;
use deepspine::search::query::Query;
use deepspine::store::FILE;
use rusqlite::Connection;
use tempfile::TempDir;

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_deepspine"));
    command.args(args).current_dir(folder).stdin(Stdio::null());
    command
}

fn run(folder: &Path, args: &[&str]) -> Output {
    command(folder, args).output().unwrap()
}

/// Runs what has to end well, and gives back what it told.
fn told(folder: &Path, args: &[&str]) -> String {
    let output = run(folder, args);
    let told = [&output.stdout[..], &output.stderr[..]].concat();
    let told = String::from_utf8(told).unwrap();
    assert_eq!(output.status.code(), Some(0), "{args:?}: {told}");
    told
}

fn folder_with(name: &str, content: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), content).unwrap();
    folder
}

fn count(folder: &Path, query: &str) -> usize {
    let archive = Archive::open(&folder.join("deepspine-data")).unwrap();
    archive.catch_up(|_| ()).unwrap();
    archive.find(&Query::parse(query).unwrap()).unwrap().len()
}

#[test]
fn importing_again_changes_nothing_and_goes_on_where_it_was() {
    let csv = "report_id,report_text,age\na,L4-L5: mild canal stenosis.,60\nb,L4-L5: normal.,61\n";
    let folder = folder_with("reports.csv", csv);
    let path = folder.path();
    let first = told(path, &["import", "reports.csv"]);
    assert!(first.contains("2 new, 0 with a new text"), "{first}");
    assert!(first.contains("all of it can be searched"), "{first}");
    let again = told(path, &["import", "reports.csv"]);
    assert!(again.contains("0 new, 0 with a new text, 0 otherwise amended, 2 known"), "{again}");
    fs::write(path.join("reports.csv"), csv.replace("mild", "severe")).unwrap();
    let changed = told(path, &["import", "reports.csv"]);
    assert!(changed.contains("0 new, 1 with a new text"), "{changed}");
    assert_eq!((count(path, "any.central=severe"), count(path, "any.central=mild")), (1, 0));
}

#[test]
fn bad_records_are_listed_mended_and_imported_again() {
    let csv = "report_id,report_text,age\n\
               a,L4-L5: mild canal stenosis.,60\n\
               b,,61\n\
               c,\"L4-L5: severe \"canal\" stenosis.\",62\n\
               d,L4-L5: normal.,63,too,many\n";
    let folder = folder_with("reports.csv", csv);
    let path = folder.path();
    let output = run(path, &["import", "reports.csv", "--bad", "bad.jsonl"]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("3 bad records skipped"), "{stderr}");
    assert!(stderr.contains("`bad.jsonl`; mend them there"), "{stderr}");
    let bad = fs::read_to_string(path.join("bad.jsonl")).unwrap();
    let lines: Vec<serde_json::Value> =
        bad.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["_place"], "reports.csv, line 3, column `report_text`");
    assert_eq!((&lines[0]["report_id"], &lines[0]["age"]), (&"b".into(), &"61".into()));
    assert_eq!(lines[1]["_raw"], "c,\"L4-L5: severe \"canal\" stenosis.\",62");
    assert_eq!((&lines[2]["age"], &lines[2]["field 5"]), (&"63".into(), &"many".into()));
    // What is not mended is bad again; what is mended is a report.
    let again = run(path, &["import", "bad.jsonl", "--bad", "worse.jsonl"]);
    assert_eq!(again.status.code(), Some(2));
    assert_eq!(count(path, "*"), 2, "the ragged row had its text in place");
    let mended = bad
        .replace("\"report_text\": \"\"", "\"report_text\": \"L4-L5: moderate canal stenosis.\"")
        .replace("\"text\": \"\"", "\"id\": \"c\", \"text\": \"L4-L5: severe canal stenosis.\"");
    fs::write(path.join("bad.jsonl"), mended).unwrap();
    let mended = run(path, &["import", "bad.jsonl"]);
    assert_eq!(mended.status.code(), Some(0), "{}", String::from_utf8_lossy(&mended.stderr));
    assert_eq!(count(path, "id:a OR id:b OR id:c OR id:d"), 4);
    assert_eq!(count(path, "any.central>=moderate"), 2);
}

#[test]
fn the_list_of_bad_records_takes_the_place_of_no_input() {
    let list = "{\"report_id\": \"a\"}\nno JSON\n";
    let folder = folder_with("bad.jsonl", list);
    let path = folder.path();
    fs::create_dir(path.join("exports")).unwrap();
    fs::write(path.join("exports/bad.jsonl"), list).unwrap();
    for (input, bad, told) in [
        ("bad.jsonl", "bad.jsonl", "is input and output at once; give another name to --bad"),
        ("bad.jsonl", "exports/../bad.jsonl", "is input and output at once"),
        ("exports", "exports/bad.jsonl", "is within `exports`, which is read"),
    ] {
        let output = run(path, &["import", input, "--bad", bad]);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains(&format!("`{bad}` {told}")), "{stderr}");
        assert_eq!(fs::read_to_string(path.join(bad)).unwrap(), list);
    }
    assert!(!path.join("deepspine-data").exists(), "it was refused before anything was done");
}

#[cfg(unix)]
#[test]
fn only_its_owner_can_read_the_list_of_bad_records() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder_with("reports.csv", "report_id,report_text\na,\nb,L4-L5: normal.\n");
    run(folder.path(), &["import", "reports.csv"]);
    let list = folder.path().join("deepspine-data/bad-records-1.jsonl");
    assert_eq!(fs::metadata(list).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn labels_made_elsewhere_become_a_persons_readings() {
    let csv = "report_id,report_text\na,L4-L5: mild canal stenosis.\nb,L4-L5: normal.\n";
    let folder = folder_with("reports.csv", csv);
    let path = folder.path();
    told(path, &["import", "reports.csv"]);
    fs::write(
        path.join("labels.csv"),
        "id,level,target,grade,certainty\na,L4-L5,central,moderate,hedged\n\
         a,L4-L5,recess_left,severe,stated\nx,L4-L5,central,mild,\na,L4-L9,central,mild,\n",
    )
    .unwrap();
    let output = run(path, &["import", "labels.csv", "--labels-by", "anna"]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("1 reports labelled by anna"), "{stderr}");
    assert!(stderr.contains("labels.csv, line 4: no report `x` is in the archive"), "{stderr}");
    assert!(stderr.contains("labels.csv, line 5: `L4-L9` is not a level"), "{stderr}");
    assert_eq!(count(path, "by:anna status:agreed L4-L5.central:hedged any.recess=severe"), 1);
    let jsonl = "{\"id\": \"b\", \"cells\": {\"L5-S1\": {\"central\": \"severe\"}}}\n";
    fs::write(path.join("gold.jsonl"), jsonl).unwrap();
    let args = ["import", "gold.jsonl", "--labels-by", "cora", "--adjudicated"];
    told(path, &args);
    assert!(told(path, &args).contains("0 reports labelled by cora, 1 labelled so before"));
    assert_eq!(count(path, "by:cora status:adjudicated L5-S1.central=severe NOT L4-L5.any"), 1);
    let wide = "report_id,l4_l5_central,l5_s1_central\nb,,mild\n";
    fs::write(path.join("wide.csv"), wide).unwrap();
    told(path, &["import", "wide.csv", "--labels-by", "cora", "--adjudicated"]);
    assert_eq!(count(path, "by:cora L5-S1.central=mild"), 1);
}

#[test]
fn labels_are_kept_under_no_name_that_cannot_be_a_persons() {
    let csv = "report_id,report_text\na,L4-L5: mild canal stenosis.\n";
    let folder = folder_with("reports.csv", csv);
    let path = folder.path();
    told(path, &["import", "reports.csv"]);
    fs::write(path.join("labels.csv"), "id,level,target,grade\na,L4-L5,central,severe\n").unwrap();
    for name in ["rules", "transformer", "fused", "grader", "measurement", "a;b", "a=b", " anna"] {
        let output = run(path, &["import", "labels.csv", "--labels-by", name]);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{name}: {stderr}");
        assert!(stderr.contains(&format!("--labels-by: `{name}`")), "{stderr}");
    }
    assert_eq!(count(path, "L4-L5.central=mild status:machine"), 1, "nothing was labelled");
}

#[test]
fn a_row_that_cannot_be_read_loses_no_other_label() {
    let csv = "report_id,report_text\na,L4-L5: mild canal stenosis.\n";
    let folder = folder_with("reports.csv", csv);
    let path = folder.path();
    told(path, &["import", "reports.csv"]);
    let rows: [&[u8]; 6] = [
        b"id,level,target,grade,note\n",
        b"a,L4-L5,central,moderate,\n",
        b"a,L4-L5,central,severe,\n",
        b"a,L5-S1,central,mild,\xfcber\n",
        b"a,L4-L5,central,moderate,\n",
        b"a,L3-L4,central,mild,\n",
    ];
    fs::write(path.join("labels.csv"), rows.concat()).unwrap();
    let output = run(path, &["import", "labels.csv", "--labels-by", "anna"]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    let twice = "labels.csv, line 3: a row before gives L4-L5/central another grade";
    assert!(stderr.contains(twice), "{stderr}");
    assert!(stderr.contains("labels.csv, line 4: it is not in UTF-8"), "{stderr}");
    assert_eq!(count(path, "by:anna L4-L5.central=moderate L3-L4.central=mild"), 1);
}

/// A lexicon `mine` that knows what is whopping.
fn newer_words(folder: &Path) {
    fs::create_dir(folder.join("mine")).unwrap();
    let lexicon = "language = \"en\"\nversion = 2\nextends = \"en\"\n";
    fs::write(folder.join("mine/lexicon.toml"), lexicon).unwrap();
    fs::write(folder.join("mine/degree.toml"), "[words]\nsevere = [\"whopping\"]\n").unwrap();
}

#[test]
fn everything_stored_is_read_anew_with_newer_words_and_what_changed_is_shown() {
    let csv = "report_id,report_text\na,L4-L5: whopping canal stenosis.\nb,L4-L5: normal.\n";
    let folder = folder_with("reports.csv", csv);
    let path = folder.path();
    told(path, &["import", "reports.csv"]);
    assert_eq!(count(path, "L4-L5.central=present"), 1);
    assert!(told(path, &["extract", "--stored"]).contains("0 of 2 reports read anew, 2 had"));
    newer_words(path);
    let args = ["extract", "--stored", "--lexicon", "mine", "-o", "changes.csv"];
    let changed = told(path, &args);
    assert!(changed.contains("2 of 2 reports read anew"), "{changed}");
    assert!(changed.contains("1 of them read otherwise than before"), "{changed}");
    assert!(changed.contains("1  present -> severe"), "{changed}");
    assert_eq!(
        fs::read_to_string(path.join("changes.csv")).unwrap(),
        "source,id,level,target,before,after\n,a,L4-L5,central,present,severe\n"
    );
    assert_eq!(count(path, "L4-L5.central=severe"), 1);
    let readings =
        Archive::open(&path.join("deepspine-data")).unwrap().store().readings(1).unwrap();
    assert_eq!(readings.len(), 2, "what was read before stays");
}

#[cfg(unix)]
#[test]
fn all_that_was_read_anew_before_an_interruption_is_listed() {
    const REPORTS: usize = 12_000;
    let row = |number| format!("r{number},L4-L5: whopping canal stenosis.\n");
    let rows: String = (0..REPORTS).map(row).collect();
    let folder = folder_with("reports.csv", &format!("report_id,report_text\n{rows}"));
    let path = folder.path();
    told(path, &["import", "reports.csv"]);
    newer_words(path);
    let args = ["extract", "--stored", "--lexicon", "mine", "--threads", "1", "-o"];
    let child = command(path, &[&args[..], &["first.csv"]].concat())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let parts = || {
        let entries = fs::read_dir(path).unwrap().map(Result::unwrap);
        let is_part = |entry: &fs::DirEntry| entry.path().extension().is_some_and(|e| e == "part");
        entries.filter(is_part).collect::<Vec<_>>()
    };
    let start = Instant::now();
    while !parts().iter().any(|part| part.metadata().is_ok_and(|data| data.len() > 0)) {
        assert!(start.elapsed() < Duration::from_secs(120), "nothing was listed");
        std::thread::sleep(Duration::from_millis(5));
    }
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("`first.csv` has what changed until then"), "{stderr}");
    assert!(parts().is_empty(), "{:?}", parts());
    // The rest is read anew by the same command, and nothing is missing or told of twice.
    told(path, &[&args[..], &["rest.csv"]].concat());
    let listed = |name: &str| -> Vec<String> {
        let list = fs::read_to_string(path.join(name)).unwrap();
        assert!(list.starts_with("source,id,level,target,before,after\n"), "{name}");
        list.lines().skip(1).map(str::to_owned).collect()
    };
    let (first, rest) = (listed("first.csv"), listed("rest.csv"));
    assert!(!first.is_empty() && !rest.is_empty(), "{} and {}", first.len(), rest.len());
    let mut all = [first, rest].concat();
    all.sort();
    let row = |number| format!(",r{number},L4-L5,central,present,severe");
    let mut expected: Vec<String> = (0..REPORTS).map(row).collect();
    expected.sort();
    assert!(all == expected, "{} rows", all.len());
}

/// As many reports as take a while.
fn many(count: usize) -> String {
    let texts = super::texts();
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(["report_id", "patient", "accession", "report_text"]).unwrap();
    for number in 0..count {
        let text = format!("{}\nSeen as number {number}.", texts[number % texts.len()]);
        let (id, patient) = (format!("R{number}"), format!("P{}", number / 3));
        let accession = format!("A{}", number / 2);
        csv.write_record([&id, &patient, &accession, &text]).unwrap();
    }
    String::from_utf8(csv.into_inner().unwrap()).unwrap()
}

/// Everything stored that does not depend on when it was.
fn content(folder: &Path) -> Vec<String> {
    let database = Connection::open(folder.join("deepspine-data").join(FILE)).unwrap();
    let whole: String =
        database.pragma_query_value(None, "integrity_check", |row| row.get(0)).unwrap();
    assert_eq!(whole, "ok");
    let keys: String = database
        .query_row("SELECT count(*) FROM pragma_foreign_key_check", (), |row| row.get::<_, i64>(0))
        .unwrap()
        .to_string();
    assert_eq!(keys, "0");
    let mut rows = Vec::new();
    for query in [
        "SELECT r.key || '|' || v.number || '|' || v.text || '|' || p.key || '|' || r.accession
         FROM reports r JOIN report_versions v ON v.report = r.id JOIN patients p ON p.id = r.patient",
        "SELECT r.key || '|' || group_concat(l.cell || ' ' || l.verdict)
         FROM reports r LEFT JOIN report_labels l ON l.report = r.id GROUP BY r.id",
        "SELECT r.key || '|' || count(d.id) || '|' || hex(group_concat(d.body))
         FROM reports r JOIN subjects s ON s.report_version = r.version
         LEFT JOIN readings d ON d.subject = s.id GROUP BY r.id",
        "SELECT r.key || '|' || group_concat(m.finding) FROM reports r
         JOIN mentions m ON m.report_version = r.version GROUP BY r.id",
        "SELECT accession || '|' || count(DISTINCT study) FROM reports GROUP BY accession",
    ] {
        let mut all = database.prepare(query).unwrap();
        rows.extend(all.query_map((), |row| row.get::<_, Option<String>>(0)).unwrap().map(|row| {
            row.unwrap().unwrap_or_default()
        }));
    }
    rows.sort();
    rows
}

#[test]
fn killed_at_any_moment_nothing_is_lost_or_doubled_and_the_index_heals() {
    const REPORTS: usize = 4000;
    let reports = many(REPORTS);
    let whole = folder_with("reports.csv", &reports);
    let start = Instant::now();
    told(whole.path(), &["import", "reports.csv"]);
    let mut duration = start.elapsed();
    let expected = content(whole.path());
    let mut random = fastrand::Rng::with_seed(20);
    let mut killed_amid = 0;
    for moment in 0..20 {
        let folder = folder_with("reports.csv", &reports);
        let path = folder.path();
        let mut child = command(path, &["import", "reports.csv"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let wait = duration.mul_f64(random.f64());
        std::thread::sleep(wait);
        if child.try_wait().unwrap().is_some() {
            // Other tests slowed the first import down; later moments shall fall amid this one's time.
            duration = wait;
        }
        // SIGKILL, which no process can do anything about.
        child.kill().unwrap();
        child.wait().unwrap();
        if let Some(reports) = stored_reports(path) {
            let stored = content(path);
            let lost: Vec<_> = stored.iter().filter(|row| !is_among(&expected, row)).collect();
            assert!(lost.is_empty(), "moment {moment}: not whole: {lost:?}");
            killed_amid += usize::from((1..REPORTS).contains(&reports));
        }
        told(path, &["import", "reports.csv"]);
        assert!(content(path) == expected, "moment {moment}");
        assert_eq!(count(path, "*"), REPORTS, "moment {moment}");
        assert_eq!(
            count(path, "any.central>=moderate"),
            count(whole.path(), "any.central>=moderate")
        );
    }
    assert!(killed_amid >= 5, "only {killed_amid} of the moments fell amid the import");
}

/// How many reports are stored; none where the import had not come as far as to make a table.
fn stored_reports(folder: &Path) -> Option<usize> {
    let file = folder.join("deepspine-data").join(FILE);
    let database = file.exists().then(|| Connection::open(file).unwrap())?;
    database.query_row("SELECT count(*) FROM reports", (), |row| row.get(0)).ok()
}

fn is_among(sorted: &[String], row: &String) -> bool {
    // A study may still lack its second report, which changes no row but its own.
    sorted.binary_search(row).is_ok()
}

#[test]
fn an_import_and_whoever_searches_do_not_wait_for_each_other() {
    const REPORTS: usize = 4000;
    let folder = folder_with("reports.csv", &many(REPORTS));
    let path = folder.path();
    let data = path.join("deepspine-data");
    drop(Archive::open_or_create(&data).unwrap());
    // A server has the archive open, searches and indexes now and then.
    let server = Archive::open(&data).unwrap();
    let mut import = command(path, &["import", "reports.csv"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut seen = vec![0];
    let start = Instant::now();
    while import.try_wait().unwrap().is_none() {
        server.catch_up(|_| ()).unwrap();
        let found = server.find(&Query::All).unwrap().len();
        assert!(found >= *seen.last().unwrap(), "reports do not vanish: {seen:?}, then {found}");
        seen.push(found);
        assert!(start.elapsed() < Duration::from_secs(120));
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(import.wait().unwrap().success());
    server.catch_up(|_| ()).unwrap();
    assert_eq!(server.find(&Query::All).unwrap().len(), REPORTS);
    assert!(seen.iter().any(|&found| found > 0 && found < REPORTS), "seen only {seen:?}");
}

#[test]
fn a_backup_restored_is_the_archive_as_it_was() {
    let csv = "report_id,report_text\na,L4-L5: mild canal stenosis.\n";
    let folder = folder_with("reports.csv", csv);
    let path = folder.path();
    told(path, &["import", "reports.csv"]);
    told(path, &["backup", "backup.db"]);
    let taken = run(path, &["backup", "backup.db"]);
    assert!(String::from_utf8_lossy(&taken.stderr).contains("--force"));
    fs::write(path.join("reports.csv"), format!("{csv}b,L4-L5: severe canal stenosis.\n")).unwrap();
    told(path, &["import", "reports.csv"]);
    assert_eq!(count(path, "*"), 2);
    told(path, &["restore", "backup.db"]);
    assert_eq!((count(path, "*"), count(path, "any.central=mild")), (1, 1));
    // What was there before is kept, and can be had back.
    told(path, &["restore", "deepspine-data/before-restore-1.db"]);
    assert_eq!(count(path, "*"), 2);
    told(path, &["restore", "backup.db", "--data", "elsewhere"]);
    let told = told(path, &["search", "any.central=mild", "--data", "elsewhere"]);
    assert!(told.starts_with("1 report of 1 study\n"), "{told}");
}

#[test]
fn search_tells_its_answer_in_every_format_and_its_error_at_the_column() {
    let csv = "report_id,report_text,age,sex\na,L4-L5: mild canal stenosis.,60,F\n\
               b,L4-L5: severe canal stenosis.,70,M\n";
    let folder = folder_with("reports.csv", csv);
    let path = folder.path();
    let missing = run(path, &["search", "a"]);
    assert!(String::from_utf8_lossy(&missing.stderr).contains("import reports first"));
    told(path, &["import", "reports.csv"]);
    let json = told(path, &["search", "any.central>=mild", "--json", "--facets", "-n", "1"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["reports"], json["hits"].as_array().unwrap().len()), (&2.into(), 1));
    assert_eq!(json["facets"]["cells"]["L4-L5/central"]["severe"], 1);
    assert_eq!(json["facets"]["ages"]["60-69"], 1);
    let all = told(path, &["search", "any.central>=mild", "--json", "-n", "1", "--page", "2"]);
    assert!(all.contains("\"id\": \"a\"") != all.contains("\"id\": \"b\""), "{all}");
    let csv = told(path, &["search", "--csv", "--all", "--sort", "number"]);
    let rows: Vec<&str> = csv.lines().collect();
    assert_eq!(rows.len(), 3);
    assert!(rows[2].contains("L4-L5/central=severe"), "{csv}");
    let wrong = run(path, &["search", "any.central>=sever"]);
    let stderr = String::from_utf8(wrong.stderr).unwrap();
    assert_eq!(wrong.status.code(), Some(1));
    assert!(stderr.contains("              ^^^^^\ncolumn 14"), "{stderr}");
    told(path, &["search", "any.central=severe", "--save", "bad"]);
    let saved = told(path, &["search", "--saved", "bad", "age:70"]);
    assert!(saved.starts_with("1 report of 1 study\n"), "{saved}");
    assert!(told(path, &["cohort", "list"]).contains("query   bad"));
}
