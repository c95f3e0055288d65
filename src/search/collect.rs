//! What is gathered over everything that a query finds.

use std::collections::BTreeMap;

use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::{Column, StrColumn};
use tantivy::{DocId, Score, SegmentOrdinal, SegmentReader};

use super::facets::{AgeBand, CellCounts, Facets};
use super::schema::column;

/// The different numbers in a column: a bit each, since the archive numbers what it has from 1.
pub(super) struct Distinct(pub &'static str);

/// A set of numbers.
#[derive(Debug, Default)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    fn add(&mut self, number: u64) {
        let (word, bit) = ((number / 64) as usize, number % 64);
        if word >= self.0.len() {
            self.0.resize((word + 1).next_power_of_two(), 0);
        }
        self.0[word] |= 1 << bit;
    }

    /// How many there are.
    pub fn len(&self) -> u64 {
        self.0.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    fn join(mut self, other: Self) -> Self {
        if other.0.len() > self.0.len() {
            return other.join(self);
        }
        self.0.iter_mut().zip(other.0).for_each(|(mine, theirs)| *mine |= theirs);
        self
    }
}

impl Collector for Distinct {
    type Fruit = Bits;
    type Child = DistinctIn;

    fn for_segment(
        &self,
        _: SegmentOrdinal,
        segment: &SegmentReader,
    ) -> tantivy::Result<DistinctIn> {
        Ok(DistinctIn { column: segment.fast_fields().u64(self.0)?, found: Bits::default() })
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    fn merge_fruits(&self, fruits: Vec<Bits>) -> tantivy::Result<Bits> {
        Ok(fruits.into_iter().fold(Bits::default(), Bits::join))
    }
}

pub(super) struct DistinctIn {
    column: Column<u64>,
    found: Bits,
}

impl SegmentCollector for DistinctIn {
    type Fruit = Bits;

    fn collect(&mut self, doc: DocId, _: Score) {
        if let Some(number) = self.column.first(doc) {
            self.found.add(number);
        }
    }

    fn harvest(self) -> Bits {
        self.found
    }
}

/// The numbers of all reports found.
pub(super) struct Numbers;

impl Collector for Numbers {
    type Fruit = Vec<u64>;
    type Child = NumbersIn;

    fn for_segment(
        &self,
        _: SegmentOrdinal,
        segment: &SegmentReader,
    ) -> tantivy::Result<NumbersIn> {
        Ok(NumbersIn { column: segment.fast_fields().u64(column::REPORT)?, found: Vec::new() })
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    fn merge_fruits(&self, fruits: Vec<Vec<u64>>) -> tantivy::Result<Vec<u64>> {
        Ok(fruits.concat())
    }
}

pub(super) struct NumbersIn {
    column: Column<u64>,
    found: Vec<u64>,
}

impl SegmentCollector for NumbersIn {
    type Fruit = Vec<u64>;

    fn collect(&mut self, doc: DocId, _: Score) {
        self.found.extend(self.column.first(doc));
    }

    fn harvest(self) -> Vec<u64> {
        self.found
    }
}

/// Facets.
pub(super) struct FacetCounts;

impl Collector for FacetCounts {
    type Fruit = Facets;
    type Child = FacetsIn;

    fn for_segment(&self, _: SegmentOrdinal, segment: &SegmentReader) -> tantivy::Result<FacetsIn> {
        let columns = segment.fast_fields();
        Ok(FacetsIn {
            labels: columns.u64(column::LABELS)?,
            date: columns.u64(column::DATE)?,
            age: columns.u64(column::AGE)?,
            modality: Words::of(columns.str(column::MODALITY)?),
            sex: Words::of(columns.str(column::SEX)?),
            cells: CellCounts::default(),
            years: BTreeMap::new(),
            ages: BTreeMap::new(),
        })
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    fn merge_fruits(&self, fruits: Vec<Facets>) -> tantivy::Result<Facets> {
        let mut all = Facets::default();
        for facets in fruits {
            all.cells.add(&facets.cells);
            add(&mut all.modalities, facets.modalities);
            add(&mut all.years, facets.years);
            add(&mut all.sexes, facets.sexes);
            add(&mut all.ages, facets.ages);
        }
        Ok(all)
    }
}

fn add<K: Ord>(all: &mut BTreeMap<K, u64>, some: BTreeMap<K, u64>) {
    for (key, count) in some {
        *all.entry(key).or_default() += count;
    }
}

/// A column of words, counted by their numbers in the segment.
struct Words {
    column: Option<StrColumn>,
    counts: Vec<u64>,
}

impl Words {
    fn of(column: Option<StrColumn>) -> Self {
        let terms = column.as_ref().map_or(0, |column| column.num_terms());
        Self { column, counts: vec![0; terms] }
    }

    fn count(&mut self, doc: DocId) {
        if let Some(column) = &self.column {
            column.term_ords(doc).for_each(|word| self.counts[word as usize] += 1);
        }
    }

    fn by_word(self) -> BTreeMap<String, u64> {
        let Some(column) = self.column else { return BTreeMap::new() };
        let counted = self.counts.into_iter().enumerate().filter(|&(_, count)| count > 0);
        let named = counted.filter_map(|(number, count)| {
            let mut word = String::new();
            column.ord_to_str(number as u64, &mut word).ok()?.then_some((word, count))
        });
        named.collect()
    }
}

pub(super) struct FacetsIn {
    labels: Column<u64>,
    date: Column<u64>,
    age: Column<u64>,
    modality: Words,
    sex: Words,
    cells: CellCounts,
    years: BTreeMap<u16, u64>,
    ages: BTreeMap<AgeBand, u64>,
}

impl SegmentCollector for FacetsIn {
    type Fruit = Facets;

    fn collect(&mut self, doc: DocId, _: Score) {
        self.labels.values_for_doc(doc).for_each(|code| self.cells.count(code));
        if let Some(date) = self.date.first(doc) {
            *self.years.entry((date / 10_000) as u16).or_default() += 1;
        }
        if let Some(age) = self.age.first(doc) {
            *self.ages.entry(AgeBand::of(age as u16)).or_default() += 1;
        }
        self.modality.count(doc);
        self.sex.count(doc);
    }

    fn harvest(self) -> Facets {
        Facets {
            cells: self.cells,
            modalities: self.modality.by_word(),
            years: self.years,
            sexes: self.sex.by_word(),
            ages: self.ages,
        }
    }
}
