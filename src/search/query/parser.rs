//! From the pieces of a query to its tree.

use super::lexer::{Kind, Piece, pieces};
use super::{Problem, Query, QueryError, term};

/// Deeper nesting is a mistake or malice; the parser calls itself once a level.
const DEEPEST: usize = 100;

pub(super) fn parse(text: &str) -> Result<Query, QueryError> {
    let pieces = pieces(text)?;
    if pieces.is_empty() {
        return Ok(Query::All);
    }
    let mut parser = Parser { text, pieces, next: 0, depth: 0 };
    let query = parser.or()?;
    match parser.peek() {
        None => Ok(query),
        // Everything else that ends an expression is taken up by it.
        Some(_) => Err(parser.wrong(Problem::StrayParenthesis)),
    }
}

struct Parser<'a> {
    text: &'a str,
    pieces: Vec<Piece>,
    next: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<Kind> {
        self.pieces.get(self.next).map(|piece| piece.kind)
    }

    fn take(&mut self, kind: Kind) -> bool {
        let is_next = self.peek() == Some(kind);
        self.next += usize::from(is_next);
        is_next
    }

    /// The error about the next piece, or the end of the query.
    fn wrong(&self, problem: Problem) -> QueryError {
        let end = self.text.len();
        let range = self.pieces.get(self.next).map_or(end..end, |piece| piece.range.clone());
        QueryError::at(self.text, range, problem)
    }

    fn or(&mut self) -> Result<Query, QueryError> {
        let mut queries = vec![self.and()?];
        while self.take(Kind::Or) {
            queries.push(self.and()?);
        }
        Ok(if queries.len() == 1 { queries.remove(0) } else { Query::Or(queries) })
    }

    fn and(&mut self) -> Result<Query, QueryError> {
        let mut queries = vec![self.not()?];
        while self.take(Kind::And)
            || matches!(self.peek(), Some(Kind::Not | Kind::Open | Kind::Term))
        {
            queries.push(self.not()?);
        }
        Ok(if queries.len() == 1 { queries.remove(0) } else { Query::And(queries) })
    }

    fn not(&mut self) -> Result<Query, QueryError> {
        if !self.take(Kind::Not) {
            return self.operand();
        }
        self.deeper()?;
        let query = self.not()?;
        self.depth -= 1;
        Ok(Query::Not(Box::new(query)))
    }

    fn operand(&mut self) -> Result<Query, QueryError> {
        match self.peek() {
            Some(Kind::Term) => {
                let range = self.pieces[self.next].range.clone();
                self.next += 1;
                let term = &self.text[range.clone()];
                term::parse(term).map_err(|(part, problem)| {
                    let part = range.start + part.start..range.start + part.end;
                    QueryError::at(self.text, part, problem)
                })
            }
            Some(Kind::Open) => {
                let open = self.pieces[self.next].range.clone();
                self.deeper()?;
                self.next += 1;
                let query = self.or()?;
                self.depth -= 1;
                if self.take(Kind::Close) {
                    Ok(query)
                } else {
                    Err(QueryError::at(self.text, open, Problem::OpenParenthesis))
                }
            }
            Some(Kind::Close) if self.depth == 0 => Err(self.wrong(Problem::StrayParenthesis)),
            Some(Kind::And | Kind::Or | Kind::Not | Kind::Close) | None => {
                Err(self.wrong(Problem::MissingTerm))
            }
        }
    }

    fn deeper(&mut self) -> Result<(), QueryError> {
        self.depth += 1;
        if self.depth > DEEPEST { Err(self.wrong(Problem::TooDeep(DEEPEST))) } else { Ok(()) }
    }
}
