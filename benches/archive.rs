//! An archive of a million simulated reports: how fast it is filled and indexed, how fast it
//! answers, and how bare tantivy and SQLite's FTS5 do on the same in the same run.
//!
//! `cargo bench --bench archive -- 100000` measures a smaller one.

mod memory;

use std::fs;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use deepspine::archive::{Archive, Asked};
use deepspine::label::{Cell, Grade, Level, Target};
use deepspine::search::query::Query;
use deepspine::search::{Sort, empty_index};
use deepspine::simulate::Simulation;
use rusqlite::Connection;
use tantivy::{IndexWriter, TantivyDocument};

use memory::peak_memory;

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

/// How many questions are asked of us, and how many of those of FTS5, which takes its time.
const QUESTIONS: usize = 1000;
const ASKED_OF_FTS5: usize = 60;

fn main() -> Fallible<()> {
    let count = std::env::args().find_map(|arg| arg.parse().ok()).unwrap_or(1_000_000);
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let data = folder.path().join("data");
    let reports = folder.path().join("reports.jsonl");
    println!("{count} simulated reports, {:.0} MB of JSON Lines", write_reports(&reports, count)?);
    import(&reports, &data, count)?;
    index(&data, folder.path(), count)?;
    let questions = questions();
    answer(&data, &questions)?;
    fts5(&data, folder.path(), &questions)
}

fn write_reports(path: &Path, count: usize) -> Fallible<f64> {
    let mut out = BufWriter::new(fs::File::create(path)?);
    for simulated in Simulation::new(1).reports().take(count) {
        serde_json::to_writer(&mut out, &simulated.report)?;
        out.write_all(b"\n")?;
    }
    out.flush()?;
    Ok(fs::metadata(path)?.len() as f64 / 1e6)
}

/// Through the binary: read, stored and indexed.
fn import(reports: &Path, data: &Path, count: usize) -> Fallible<()> {
    let start = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_deepspine"))
        .args(["import", "--data"])
        .args([data, reports])
        .stderr(Stdio::null())
        .spawn()?;
    let mut peak = 0;
    let status = loop {
        peak = peak.max(peak_memory(child.id()).unwrap_or(0));
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    assert!(status.success(), "import ended with {status}");
    let seconds = start.elapsed().as_secs_f64();
    let rate = count as f64 / seconds;
    println!(
        "import, indexed too            {rate:>9.0} reports/s, {seconds:.0} s, at most {} MB",
        peak / 1024
    );
    let start = Instant::now();
    let again = Command::new(env!("CARGO_BIN_EXE_deepspine"))
        .args(["import", "--data"])
        .args([data, reports])
        .stderr(Stdio::null())
        .status()?;
    assert!(again.success());
    let rate = count as f64 / start.elapsed().as_secs_f64();
    println!("import of the same once more   {rate:>9.0} reports/s");
    let sizes = [size(&data.join("deepspine.db"))?, size(&data.join("index"))?];
    println!("size: database {:.0} MB, index {:.0} MB", sizes[0], sizes[1]);
    Ok(())
}

fn size(path: &Path) -> Fallible<f64> {
    let mut bytes = 0;
    for entry in walkdir::WalkDir::new(path) {
        let metadata = entry?.metadata()?;
        bytes += if metadata.is_file() { metadata.len() } else { 0 };
    }
    Ok(bytes as f64 / 1e6)
}

/// The index made anew, beside tantivy alone adding the same documents, which lie in memory.
fn index(data: &Path, folder: &Path, count: usize) -> Fallible<()> {
    let mut archive = Archive::open(data)?;
    archive.empty_index()?;
    let start = Instant::now();
    archive.catch_up(|_| ())?;
    let ours = count as f64 / start.elapsed().as_secs_f64();

    let bare = folder.join("bare");
    fs::create_dir(&bare)?;
    let (index, fields) = empty_index(&bare)?;
    let mut documents: Vec<TantivyDocument> = Vec::with_capacity(count);
    let mut change = 0;
    loop {
        let batch = archive.documents_after(change, 10_000)?;
        let Some((last, _)) = batch.last() else { break };
        change = *last;
        documents.extend(batch.iter().map(|(_, document)| document.to_tantivy(&fields)));
    }
    let threads = std::thread::available_parallelism()?.get().clamp(1, 4);
    let start = Instant::now();
    let mut writer: IndexWriter = index.writer_with_num_threads(threads, threads * (128 << 20))?;
    for (number, document) in documents.into_iter().enumerate() {
        writer.add_document(document)?;
        if number % 200_000 == 199_999 {
            writer.commit()?;
        }
    }
    writer.commit()?;
    writer.wait_merging_threads()?;
    let tantivy = count as f64 / start.elapsed().as_secs_f64();
    println!("index from the store           {ours:>9.0} reports/s");
    println!(
        "tantivy alone                  {tantivy:>9.0} reports/s, ours is {:.2} of it",
        ours / tantivy
    );
    fs::remove_dir_all(bare)?;
    Ok(())
}

/// A question that both we and FTS5 can answer: words and what is known otherwise.
struct Question {
    text: &'static str,
    cell: Option<(Cell, Grade)>,
    ages: Option<(u16, u16)>,
    modality: Option<&'static str>,
}

const TEXTS: [&str; 20] = [
    "stenosis",
    "narrowing",
    "\"canal stenosis\"",
    "\"foraminal narrowing\"",
    "bulge",
    "extrusion",
    "hemangioma",
    "conus",
    "Tarlov",
    "scoliosis",
    "lipomatosis",
    "\"simple cyst\"",
    "laminectomy",
    "paracentral",
    "\"bilateral facet arthropathy\"",
    "degenerative",
    "anterolisthesis",
    "claudication",
    "critical",
    "\"nerve root\"",
];

fn questions() -> Vec<Question> {
    let mut random = fastrand::Rng::with_seed(5);
    let levels = [Level::L2L3, Level::L3L4, Level::L4L5, Level::L5S1];
    let grades = [Grade::Mild, Grade::Moderate, Grade::Severe];
    let mut question = |_| Question {
        text: TEXTS[random.usize(..TEXTS.len())],
        cell: Some((
            Cell {
                level: levels[random.usize(..levels.len())],
                target: Target::ALL[random.usize(..Target::ALL.len())],
            },
            grades[random.usize(..grades.len())],
        ))
        .filter(|_| random.u8(..10) < 9),
        ages: Some((random.u16(20..60), random.u16(60..90))).filter(|_| random.u8(..3) == 0),
        modality: Some("MR").filter(|_| random.u8(..3) == 0),
    };
    (0..QUESTIONS).map(&mut question).collect()
}

impl Question {
    fn ours(&self) -> String {
        let mut query = self.text.to_owned();
        if let Some((Cell { level, target }, grade)) = self.cell {
            query.push_str(&format!(" {level}.{target}>={grade}"));
        }
        if let Some((from, to)) = self.ages {
            query.push_str(&format!(" age:{from}..{to}"));
        }
        if let Some(modality) = self.modality {
            query.push_str(&format!(" modality:{modality}"));
        }
        query
    }

    /// The rows that match, to be counted or ranked.
    fn fts5(&self) -> String {
        let mut sql = format!(
            "FROM texts JOIN known k ON k.id = texts.rowid WHERE texts MATCH '{}'",
            self.text
        );
        if let Some((cell, grade)) = self.cell {
            sql.push_str(&format!(
                " AND EXISTS (SELECT 1 FROM labels l WHERE l.cell = {} AND l.report = k.id
                  AND l.rank >= {})",
                cell.index(),
                grade as u8
            ));
        }
        if let Some((from, to)) = self.ages {
            sql.push_str(&format!(" AND k.age BETWEEN {from} AND {to}"));
        }
        if let Some(modality) = self.modality {
            sql.push_str(&format!(" AND k.modality = '{modality}'"));
        }
        sql
    }
}

fn answer(data: &Path, questions: &[Question]) -> Fallible<()> {
    let archive = Archive::open(data)?;
    let measure = |name: &str, counts: bool, facets: bool, limit: usize| -> Fallible<()> {
        let mut times = Vec::new();
        let mut slowest = (Duration::ZERO, String::new());
        for question in questions {
            let query = Query::parse(&question.ours())?;
            let sort = Sort::Relevance;
            let asked = Asked { query: &query, sort, offset: 0, limit, counts, facets };
            let start = Instant::now();
            archive.search(&asked)?;
            times.push(start.elapsed());
            slowest = slowest.max((start.elapsed(), question.ours()));
        }
        print_times(name, &mut times);
        println!("{:38} {}", "  slowest", slowest.1);
        Ok(())
    };
    // Once unmeasured: the files come into memory.
    measure("first page and count, cold", false, false, 10)?;
    measure("first page and count of reports", false, false, 10)?;
    measure("counts of reports, studies, patients", true, false, 0)?;
    measure("facets", false, true, 0)
}

fn print_times(name: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!(
        "{name:38} p50 {:>8.2} ms  p99 {:>8.2} ms  max {:>8.2} ms",
        at(0.5),
        at(0.99),
        at(1.0)
    );
}

/// The same questions of FTS5: its own stemmer, an index on cells, and the same order.
fn fts5(data: &Path, folder: &Path, questions: &[Question]) -> Fallible<()> {
    let archive = Archive::open(data)?;
    let mut database = Connection::open(folder.join("fts5.db"))?;
    database.pragma_update(None, "journal_mode", "wal")?;
    database.pragma_update(None, "cache_size", -(512 << 10))?;
    let start = Instant::now();
    fill_fts5(&archive, &mut database)?;
    println!("FTS5 filled in {:.0} s", start.elapsed().as_secs_f64());
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for question in &questions[..ASKED_OF_FTS5] {
        let query = Query::parse(&question.ours())?;
        let sort = Sort::Relevance;
        let asked =
            Asked { query: &query, sort, offset: 0, limit: 10, counts: false, facets: false };
        let start = Instant::now();
        let found = archive.search(&asked)?;
        ours.push(start.elapsed());
        let matching = question.fts5();
        let start = Instant::now();
        let count: u64 =
            database.query_row(&format!("SELECT count(*) {matching}"), (), |r| r.get(0))?;
        let mut page = database.prepare(&format!(
            "SELECT k.id, snippet(texts, 0, '[', ']', '…', 30) {matching} ORDER BY texts.rank LIMIT 10"
        ))?;
        let rows = page.query_map((), |row| row.get::<_, u64>(0))?.count();
        theirs.push(start.elapsed());
        let differ = count.abs_diff(found.reports) as f64 > 0.02 * count.max(100) as f64;
        if differ || rows != found.hits.len() {
            println!("{}: FTS5 counts {count}, we {}", question.ours(), found.reports);
        }
    }
    let (sum_ours, sum_theirs): (Duration, Duration) = (ours.iter().sum(), theirs.iter().sum());
    print_times("the same questions: ours", &mut ours);
    print_times("the same questions: FTS5", &mut theirs);
    println!("FTS5 takes {:.1} times as long", sum_theirs.as_secs_f64() / sum_ours.as_secs_f64());
    Ok(())
}

fn fill_fts5(archive: &Archive, database: &mut Connection) -> Fallible<()> {
    database.execute_batch(
        "CREATE VIRTUAL TABLE texts USING fts5(text, tokenize = 'porter unicode61');
         CREATE TABLE known (id INTEGER PRIMARY KEY, age INTEGER, modality TEXT);
         CREATE TABLE labels (cell INTEGER, report INTEGER, rank INTEGER,
                              PRIMARY KEY (cell, report)) WITHOUT ROWID;",
    )?;
    let mut change = 0;
    loop {
        let batch = archive.documents_after(change, 20_000)?;
        let Some((last, _)) = batch.last() else { break };
        change = *last;
        let transaction = database.transaction()?;
        for (_, document) in &batch {
            let report = &document.report;
            transaction
                .prepare_cached("INSERT INTO texts (rowid, text) VALUES (?1, ?2)")?
                .execute((document.number, &report.text))?;
            transaction.prepare_cached("INSERT INTO known VALUES (?1, ?2, ?3)")?.execute((
                document.number,
                report.age,
                &report.modality,
            ))?;
            for label in &document.labels {
                // What has no rank is in no order.
                let rank = label.verdict.grade().and_then(Grade::rank);
                transaction.prepare_cached("INSERT INTO labels VALUES (?1, ?2, ?3)")?.execute((
                    label.cell.index(),
                    document.number,
                    rank,
                ))?;
            }
        }
        transaction.commit()?;
    }
    database.execute_batch("INSERT INTO texts (texts) VALUES ('optimize'); ANALYZE;")?;
    Ok(())
}
