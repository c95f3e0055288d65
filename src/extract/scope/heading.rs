//! Lines and labels that set a level, a side or a structure for what follows them.

use smallvec::SmallVec;

use super::{Scope, Target, Walk};
use crate::extract::layout::{Line, label_end};
use crate::extract::scan::{Item, Tag};
use crate::extract::sense::{Class, Sense, Sides};
use crate::label::{Level, Side};

impl Walk<'_> {
    /// A line of levels alone sets them for the lines after it (rule 3).
    pub(super) fn is_level_heading(&mut self, line: &Line, items: &[Item]) -> bool {
        let mut named = None;
        for item in items {
            match item.tag {
                Tag::Levels(index) => named = Some(index),
                Tag::Colon | Tag::Comma | Tag::Dash | Tag::Stop | Tag::Open | Tag::Close => {}
                Tag::Term(
                    Sense::LevelWord | Sense::Disc | Sense::Filler | Sense::Of | Sense::And,
                ) => {}
                _ => return false,
            }
        }
        let Some(index) = named else { return false };
        let levels = self.scan.levels[index as usize].named.clone();
        self.drafts.mention(levels.iter().copied().collect());
        self.last_named = levels.clone();
        self.set_heading(levels, line.bullet, true);
        true
    }

    pub(super) fn set_heading(
        &mut self,
        levels: SmallVec<[Level; 4]>,
        bullet: Option<u32>,
        fresh: bool,
    ) {
        self.scopes += 1;
        self.heading = Some(Scope { levels, id: self.scopes, bullet, fresh });
    }

    /// A line of a side alone ("- Left:") sets it for the deeper bullets after it.
    pub(super) fn is_side_heading(&mut self, line: &Line, items: &[Item]) -> bool {
        let side = match items {
            [Item { tag: Tag::Term(Sense::Side(side)), .. }, Item { tag: Tag::Colon, .. }] => side,
            _ => return false,
        };
        self.heading_side = match side {
            Sides::Left => Some((Side::Left, line.bullet)),
            Sides::Right => Some((Side::Right, line.bullet)),
            Sides::Both => None,
        };
        true
    }

    /// A line of a structure alone ("Foraminal stenosis") sets it for the lines after it; a
    /// line of another noun alone ends that.
    pub(super) fn is_target_heading(&mut self, items: &[Item]) -> bool {
        const LONGEST: usize = 8;
        let bare = items.iter().all(|item| {
            matches!(
                item.tag,
                Tag::Colon
                    | Tag::Dash
                    | Tag::Open
                    | Tag::Close
                    | Tag::Slash
                    | Tag::Other
                    | Tag::Term(
                        Sense::Anatomy(..)
                            | Sense::Change(..)
                            | Sense::Side(_)
                            | Sense::Filler
                            | Sense::Finding(_)
                            | Sense::Noun
                            | Sense::And
                            | Sense::LevelWord
                            | Sense::Of
                            | Sense::Disc
                            | Sense::Region(_)
                    )
            )
        });
        if !bare || items.len() > LONGEST {
            return false;
        }
        let target = target_of(items);
        let other = items.iter().any(|item| {
            matches!(item.tag, Tag::Other | Tag::Term(Sense::Finding(_) | Sense::Noun))
        });
        let labelled = items.last().is_some_and(|item| item.tag == Tag::Colon);
        // "Neural foramina narrowed" says something; "Neural foramina" sets the target.
        let says = items.iter().any(|item| {
            matches!(item.tag, Tag::Term(Sense::Change(_, Class::Verb | Class::Adjective)))
        });
        // Under a level "Canal stenosis" alone says that there is one.
        let states = items.iter().any(|item| matches!(item.tag, Tag::Term(Sense::Change(..))));
        let under_level = self.heading.is_some() && states;
        if (target.is_some() && (other || under_level) && !labelled) || says {
            return false;
        }
        if target.is_some() && !labelled {
            self.heading = None;
        }
        self.heading_target = target;
        target.is_some()
    }

    /// A label at the beginning of a line sets its levels or structure for the line, and its
    /// levels for the lines after it.
    pub(super) fn label(&mut self, line: &Line, items: &[Item], at_line_start: bool) {
        let Some(colon) = label_end(items).or_else(|| dash_label(items)) else { return };
        let label = &items[..colon];
        let levels = label.iter().find_map(|item| match item.tag {
            Tag::Levels(index) => Some(self.scan.levels[index as usize].named.clone()),
            _ => None,
        });
        if let Some(levels) = levels {
            let says = label.iter().any(|item| {
                matches!(
                    item.tag,
                    Tag::Term(
                        Sense::Anatomy(..)
                            | Sense::Change(..)
                            | Sense::Finding(_)
                            | Sense::Above
                            | Sense::Below
                            | Sense::Except
                    )
                )
            });
            if !says {
                self.line_levels = None;
                self.line_named.clear();
                self.set_heading(levels, line.bullet, false);
            }
        } else if colon + 1 < items.len() && (at_line_start || self.line_target.is_some()) {
            self.line_target = target_of(label);
        }
    }
}

/// The structure that a heading or label names, with its side.
pub(super) fn target_of(items: &[Item]) -> Option<Target> {
    let sense = |item: &Item| match item.tag {
        Tag::Term(sense) => Some(sense),
        _ => None,
    };
    let anatomy = items.iter().filter_map(sense).find_map(|sense| match sense {
        Sense::Anatomy(anatomy, _) => Some(anatomy),
        _ => None,
    });
    let sides: SmallVec<[_; 2]> = items
        .iter()
        .filter_map(sense)
        .filter_map(|sense| match sense {
            Sense::Side(Sides::Left) => Some(Side::Left),
            Sense::Side(Sides::Right) => Some(Side::Right),
            _ => None,
        })
        .collect();
    let side = if let [side] = sides[..] { Some(side) } else { None };
    anatomy.map(|anatomy| (anatomy, side))
}

/// The items before a dash that sets off a label: "L3-4 - ".
pub(super) fn dash_label(items: &[Item]) -> Option<usize> {
    let dash = items.iter().take(4).position(|item| item.tag == Tag::Dash)?;
    let levels = matches!(items[0].tag, Tag::Levels(_));
    (dash > 0 && levels).then_some(dash)
}
