//! What the store keeps, and what it refuses.

use std::path::Path;

use deepspine::archive::{Archive, Imported, Keep, Plan};
use deepspine::label::{Grade, Mode};
use deepspine::report::Report;
use deepspine::store::{FILE, Store};
use rusqlite::Connection;

use super::{CENTRAL, TestArchive, report};

#[test]
fn what_is_known_changes_nothing() {
    let mut test = TestArchive::new();
    let reports = [report("a", "L4-L5: mild canal stenosis."), report("b", "L4-L5: normal.")];
    assert_eq!(test.import(&reports), Imported { new: 2, read: 2, ..Imported::default() });
    let change = test.archive.store().change().unwrap();
    assert_eq!(test.import(&reports), Imported { same: 2, ..Imported::default() });
    assert_eq!(test.archive.store().change().unwrap(), change);
    assert_eq!(test.label("a"), ["L4-L5/central mild rules"]);
}

#[test]
fn another_text_is_another_version_and_readings_stay_with_the_one_they_read() {
    let mut test = TestArchive::new();
    test.import(&[report("a", "L4-L5: mild canal stenosis.")]);
    let again = test.import(&[report("a", "L4-L5: severe canal stenosis.")]);
    assert_eq!(again, Imported { new_versions: 1, read: 1, ..Imported::default() });
    assert_eq!(test.label("a"), ["L4-L5/central severe rules"]);
    let store = test.archive.store();
    let texts: Vec<_> = store.versions(1).unwrap().into_iter().map(|v| v.text).collect();
    assert_eq!(texts, ["L4-L5: mild canal stenosis.", "L4-L5: severe canal stenosis."]);
    let readings = store.readings(1).unwrap();
    let read: Vec<_> =
        readings.iter().map(|r| (r.version, r.body.opinions[0].verdict.name())).collect();
    assert_eq!(read, [(1, "mild"), (2, "severe")]);
}

#[test]
fn ids_belong_to_their_source() {
    let mut test = TestArchive::new();
    let of = |source: &str| Report { source: Some(source.into()), ..report("a", "L4-L5: normal.") };
    test.import(&[of("north"), of("south")]);
    assert_eq!(test.archive.store().report_count().unwrap(), 2);
    let several = test.archive.store().report_named(None, "a").unwrap().unwrap_err();
    assert!(several.contains("several sources"), "{several}");
}

#[test]
fn absent_fields_take_nothing_away_and_new_ones_are_kept() {
    let mut test = TestArchive::new();
    let text = "L4-L5: normal.";
    test.import(&[Report { patient: Some("P".into()), age: Some(60), ..report("a", text) }]);
    let amended =
        test.import(&[Report { age: Some(61), sex: Some("F".into()), ..report("a", text) }]);
    assert_eq!(amended, Imported { amended: 1, ..Imported::default() });
    let stored = test.archive.store().report(1).unwrap().unwrap().report;
    let fields = (stored.patient.as_deref(), stored.age, stored.sex.as_deref());
    assert_eq!(fields, (Some("P"), Some(61), Some("F")));
    let log = test.archive.store().audit_log(u64::MAX >> 1, 10).unwrap();
    let amended = log.last().unwrap();
    assert_eq!((&*amended.action, &*amended.subject), ("amend", "report 1"));
    assert_eq!(amended.detail, "[\"sex\",\"age\"]");
}

#[test]
fn studies_go_by_uid_and_by_accession_within_a_source() {
    let mut test = TestArchive::new();
    let of = |id: &str, source: &str, accession: Option<&str>, uid: Option<&str>| Report {
        source: Some(source.into()),
        accession: accession.map(Into::into),
        study_uid: uid.map(Into::into),
        ..report(id, "L4-L5: normal.")
    };
    test.import(&[
        of("first", "north", Some("A1"), None),
        of("addendum", "north", Some("A1"), None),
        of("elsewhere", "south", Some("A1"), None),
        of("by uid", "south", None, Some("1.2.3")),
        of("keyless", "south", None, None),
        of("keyless too", "south", None, None),
    ]);
    let study = |test: &TestArchive, id: &str| {
        test.archive.store().report(test.number(id)).unwrap().unwrap().study
    };
    assert_eq!(study(&test, "first"), study(&test, "addendum"));
    assert_ne!(study(&test, "first"), study(&test, "elsewhere"));
    assert_ne!(study(&test, "keyless"), study(&test, "keyless too"));
    assert_ne!(study(&test, "elsewhere"), study(&test, "by uid"));
    // Whoever names both keys tells that they are one study.
    test.import(&[of("both", "south", Some("A1"), Some("1.2.3"))]);
    assert_eq!(study(&test, "elsewhere"), study(&test, "by uid"));
    // An accession of a known study does not make two StudyInstanceUIDs one.
    test.import(&[of("other", "south", Some("A1"), Some("9.9.9"))]);
    assert_ne!(study(&test, "other"), study(&test, "by uid"));
    // Nor does a later record that lacks the StudyInstanceUID.
    test.import(&[Report { age: Some(60), ..of("other", "south", Some("A1"), None) }]);
    assert_ne!(study(&test, "other"), study(&test, "by uid"));
}

#[test]
fn labels_follow_people_and_a_changed_text_goes_back_to_them() {
    let mut test = TestArchive::new();
    test.import(&[report("a", "L4-L5: mild canal stenosis.")]);
    assert_eq!(test.status("a"), "machine");
    test.read_by("anna", Mode::Blind, 1, &[(CENTRAL, Grade::Moderate)]);
    assert_eq!(
        (test.status("a"), test.label("a")),
        ("agreed", vec!["L4-L5/central moderate anna".into()])
    );
    test.read_by("ben", Mode::Blind, 1, &[]);
    assert_eq!(
        (test.status("a"), test.label("a")),
        ("to_adjudicate", vec!["L4-L5/central mild rules".into()])
    );
    test.read_by("cora", Mode::Adjudication, 1, &[(CENTRAL, Grade::Moderate)]);
    assert_eq!(
        (test.status("a"), test.label("a")),
        ("adjudicated", vec!["L4-L5/central moderate cora".into()])
    );
    // A reader's newest reading stands.
    test.read_by("cora", Mode::Adjudication, 1, &[]);
    assert_eq!((test.status("a"), test.label("a").len()), ("adjudicated", 0));
    test.import(&[report("a", "L4-L5: severe canal stenosis.")]);
    assert_eq!(
        (test.status("a"), test.label("a")),
        ("to_adjudicate", vec!["L4-L5/central severe rules".into()])
    );
    assert_eq!(test.archive.store().readings(1).unwrap().len(), 6, "nothing is lost");
}

#[test]
fn history_cannot_be_rewritten() {
    let mut test = TestArchive::new();
    test.import(&[report("a", "L4-L5: mild canal stenosis.")]);
    let database = Connection::open(test.path().join(FILE)).unwrap();
    for forbidden in [
        "UPDATE readings SET at = ''",
        "DELETE FROM readings",
        "UPDATE report_versions SET text = ''",
        "DELETE FROM report_versions",
    ] {
        let error = database.execute(forbidden, ()).unwrap_err().to_string();
        assert!(error.contains("append-only"), "{forbidden}: {error}");
    }
}

/// Everything below readings, in an order that does not depend on how it came about.
fn derived(folder: &Path) -> Vec<String> {
    let database = Connection::open(folder.join(FILE)).unwrap();
    let tables =
        ["current_readings", "opinions", "sections", "mentions", "measurements", "report_labels"];
    let mut rows = Vec::new();
    for table in tables {
        let mut all = database.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = all.column_count();
        let row = |row: &rusqlite::Row<'_>| {
            let values: Vec<_> =
                (0..columns).map(|at| row.get_ref(at).map(|v| format!("{v:?}"))).collect();
            Ok(format!("{table} {values:?}"))
        };
        rows.extend(all.query_map((), row).unwrap().map(Result::unwrap));
    }
    rows.sort();
    rows
}

#[test]
fn what_is_derived_can_be_derived_again() {
    let mut test = TestArchive::new();
    test.import(&[
        report("a", "L4-L5: mild canal stenosis, AP canal 9 mm. Possible extrusion."),
        report("b", "FINDINGS: L5-S1: severe left foraminal stenosis. IMPRESSION: As above."),
    ]);
    test.import(&[report("a", "L4-L5: severe canal stenosis.")]);
    test.read_by("anna", Mode::Blind, 2, &[(CENTRAL, Grade::Moderate)]);
    test.read_by("anna", Mode::Blind, 2, &[(CENTRAL, Grade::Mild)]);
    let before = derived(test.path());
    assert!(before.iter().any(|row| row.starts_with("measurements")), "{before:?}");
    let mut reports = 0;
    test.archive.store_mut().write(|writer| writer.derive_again(|| reports += 1)).unwrap();
    assert_eq!((derived(test.path()), reports), (before, 2));
}

#[cfg(unix)]
#[test]
fn only_its_owner_can_read_the_archive() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let archive = Archive::open_or_create(&data).unwrap();
    assert_eq!(
        (mode(&data), mode(&data.join(FILE)), mode(&data.join("index"))),
        (0o700, 0o600, 0o700)
    );
    assert_eq!(mode(&data.join(format!("{FILE}-wal"))), 0o600);
    let backup = folder.path().join("backup.db");
    archive.store().back_up(&backup, |_, _| ()).unwrap();
    assert_eq!(mode(&backup), 0o600);
    drop(archive);
    std::fs::set_permissions(data.join(FILE), std::fs::Permissions::from_mode(0o644)).unwrap();
    Store::open(&data).unwrap();
    assert_eq!(mode(&data.join(FILE)), 0o600);
}

/// Writes the fixture of the present schema, once that is released:
/// `cargo test write_the_archive -- --ignored`.
#[test]
#[ignore = "writes a fixture"]
fn write_the_archive_of_this_schema() {
    let mut test = TestArchive::new();
    let study = |report: Report, uid: &str| Report {
        patient: Some("P1".into()),
        study_uid: Some(uid.into()),
        exam_date: Some("2020-02-29".into()),
        source: Some("north".into()),
        ..report
    };
    test.import(&[
        study(report("a", "L4-L5: mild canal stenosis, AP canal 9 mm."), "1.2.3"),
        study(report("b", "FINDINGS: L5-S1: extrusion. IMPRESSION: Extrusion."), "1.2.4"),
        report("c", "L4-L5: normal."),
    ]);
    test.import(&[study(report("a", "L4-L5: severe canal stenosis."), "1.2.3")]);
    test.read_by("anna", Mode::Blind, 1, &[(CENTRAL, Grade::Moderate)]);
    test.read_by("cora", Mode::Adjudication, 2, &[(CENTRAL, Grade::Normal)]);
    let plan = Plan {
        queries: vec!["source:north".parse_query()],
        keep: Keep::All,
        sample: None,
        split: None,
    };
    let selection = test.archive.choose(&plan).unwrap();
    test.archive.freeze("north", &selection).unwrap();
    let backup = test.path().join("backup.db");
    test.archive.store().back_up(&backup, |_, _| ()).unwrap();
    let packed = zstd::encode_all(std::fs::File::open(backup).unwrap(), 19).unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/archives");
    std::fs::create_dir_all(&fixtures).unwrap();
    std::fs::write(fixtures.join("schema-4.db.zst"), packed).unwrap();
}

#[test]
fn archives_of_every_earlier_schema_open() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/archives");
    let (mut opened, mut segmented) = (0, 0);
    for entry in std::fs::read_dir(fixtures).unwrap() {
        let path = entry.unwrap().path();
        let folder = tempfile::tempdir().unwrap();
        let file = std::fs::File::open(&path).unwrap();
        let database = zstd::decode_all(file).unwrap();
        std::fs::write(folder.path().join(FILE), database).unwrap();
        let mut archive = Archive::open(folder.path()).unwrap();
        archive.catch_up(|_| ()).unwrap();
        let name = path.display();
        let found = archive.find(&"status:adjudicated".parse_query()).unwrap();
        assert_eq!(found.len(), 1, "{name}");
        let store = archive.store();
        assert_eq!(store.report_count().unwrap(), 3, "{name}");
        assert_eq!(store.versions(1).unwrap().len(), 2, "{name}");
        assert_eq!(store.readings(1).unwrap().len(), 3, "{name}");
        assert_eq!(store.cohorts().unwrap()[0].members, 2, "{name}");
        archive.store_mut().write(|writer| writer.derive_again(|| ())).unwrap();
        // How sure names are was not kept then, nor whose a study was.
        for study in archive.store().image_keys().unwrap() {
            let names = archive.store().naming(study.study).unwrap();
            assert!(names.iter().all(|disc| disc.level.is_some() && disc.probability.is_none()));
            assert_eq!((names.len(), study.patient, study.date), (8, None, None), "{name}");
            assert_eq!(archive.store().segments(&study.uids[0]).unwrap(), None);
            segmented += 1;
        }
        opened += 1;
    }
    assert!(opened > 0 && segmented > 0);
}

trait ParseQuery {
    fn parse_query(&self) -> deepspine::search::query::Query;
}

impl ParseQuery for str {
    fn parse_query(&self) -> deepspine::search::query::Query {
        deepspine::search::query::Query::parse(self).unwrap()
    }
}

#[test]
fn a_newer_schema_is_refused_by_name() {
    let test = TestArchive::new();
    let database = Connection::open(test.path().join(FILE)).unwrap();
    database.pragma_update(None, "user_version", 99).unwrap();
    let error = Archive::open(test.path()).unwrap_err().to_string();
    assert!(error.contains("newer deepspine (schema 99"), "{error}");
}

#[test]
fn a_backup_is_whole_and_a_restore_replaces_everything_under_others() {
    let mut test = TestArchive::new();
    test.import(&[report("a", "L4-L5: mild canal stenosis.")]);
    test.archive.catch_up(|_| ()).unwrap();
    // Another process, such as a server, has the archive open all the while.
    let other = Archive::open(test.path()).unwrap();
    let backup = test.path().join("backup.db");
    test.archive.store().back_up(&backup, |_, _| ()).unwrap();
    test.import(&[report("b", "L4-L5: severe canal stenosis.")]);
    test.archive.catch_up(|_| ()).unwrap();
    assert_eq!(other.store().report_count().unwrap(), 2);
    test.archive.restore(&backup, |_, _| ()).unwrap();
    assert_eq!(other.store().report_count().unwrap(), 1);
    test.archive.catch_up(|_| ()).unwrap();
    assert_eq!(test.archive.find(&"any.central=severe".parse_query()).unwrap(), [0; 0]);
    assert_eq!(test.archive.find(&"any.central=mild".parse_query()).unwrap(), [1]);
    // What is no backup changes nothing.
    let empty = test.path().join("empty.db");
    Connection::open(&empty).unwrap().execute("CREATE TABLE t (a)", ()).unwrap();
    assert!(
        test.archive.restore(&empty, |_, _| ()).unwrap_err().to_string().contains("no archive")
    );
    std::fs::write(&empty, "not a database at all, whatever its name").unwrap();
    assert!(test.archive.restore(&empty, |_, _| ()).is_err());
    assert_eq!(other.store().report_count().unwrap(), 1);
}
