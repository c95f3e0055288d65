//! The transformer that reads what a text says of one level: config → load → forward.
//!
//! A BERT encoder (Devlin et al. 2019, through rust-bert) whose tokens are pooled once for each
//! target by an attention of the target's own, and a linear head for each target. The attention
//! weights are the evidence: which words a target was read from.

use rust_bert::bert::{BertConfig, BertEmbeddings, BertModel};
use serde::{Deserialize, Serialize};
use tch::nn::{self, Module};
use tch::{Kind, Tensor};

use crate::label::Target;

/// The shape of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Word pieces of the vocabulary.
    pub vocabulary: i64,
    /// Width of a token's vector.
    pub hidden: i64,
    /// Width of the layer between.
    pub intermediate: i64,
    /// Layers of attention.
    pub layers: i64,
    /// Heads of each; `hidden` is a multiple.
    pub heads: i64,
    /// Tokens that a sequence may have.
    pub longest: i64,
}

impl Config {
    /// What is impossible about it, if anything is.
    pub(super) fn impossible(&self) -> Option<&'static str> {
        let sizes = [self.vocabulary, self.hidden, self.intermediate, self.longest];
        if !sizes.iter().all(|size| (1..=1 << 20).contains(size)) {
            return Some("it knows no words, has no width or reads nothing");
        }
        if ![self.layers, self.heads].iter().all(|count| (1..=1024).contains(count)) {
            return Some("it has no layers or no heads");
        }
        (self.hidden % self.heads != 0).then_some("its width is no multiple of its heads")
    }

    fn bert(&self, dropout: f64) -> BertConfig {
        BertConfig {
            hidden_size: self.hidden,
            intermediate_size: self.intermediate,
            max_position_embeddings: self.longest,
            num_attention_heads: self.heads,
            num_hidden_layers: self.layers,
            vocab_size: self.vocabulary,
            hidden_dropout_prob: dropout,
            attention_probs_dropout_prob: dropout,
            ..BertConfig::default()
        }
    }
}

/// What a head tells apart: not mentioned, unless it is one of the grades.
pub const CLASSES: i64 = crate::label::Belief::OUTCOMES as i64;

/// The encoder with its heads.
#[allow(missing_debug_implementations, reason = "the encoder has none")]
pub struct Network {
    bert: BertModel<BertEmbeddings>,
    /// A query a target, in `[hidden, targets]`.
    attention: nn::Linear,
    heads: Vec<nn::Linear>,
    gate: Tensor,
    vocabulary: i64,
}

/// What the network makes of a batch.
#[derive(Debug)]
pub struct Output {
    /// `[batch, targets, CLASSES]`, before softmax.
    pub verdicts: Tensor,
    /// `[batch, targets]`, before the sigmoid: how hedged.
    pub hedged: Tensor,
    /// `[batch, tokens, targets]`: which share of its attention each target has for each token.
    pub attention: Tensor,
    /// `[batch]`, before the sigmoid: whether any target is mentioned, judged by which word pieces
    /// there are and nothing else, as [`Gate`](super::Gate) does.
    pub gate: Tensor,
}

impl Network {
    /// The name of the gate's weights: a number a word piece, first for own clauses, then for
    /// general ones.
    pub const GATE: &str = "gate";

    /// The network with new weights, under `variables`.
    pub fn new(variables: &nn::Path<'_>, config: &Config) -> Self {
        const DROPOUT: f64 = 0.1;
        let targets = Target::ALL.len() as i64;
        let bert =
            BertModel::new_with_optional_pooler(variables / "bert", &config.bert(DROPOUT), false);
        let head = |target: &Target| {
            let path = variables / "head" / target.name();
            nn::linear(path, config.hidden, CLASSES + 1, Default::default())
        };
        Self {
            bert,
            attention: nn::linear(
                variables / "attention",
                config.hidden,
                targets,
                Default::default(),
            ),
            heads: Target::ALL.iter().map(head).collect(),
            gate: variables.zeros(Self::GATE, &[2 * config.vocabulary]),
            vocabulary: config.vocabulary,
        }
    }

    /// Reads a batch of `tokens`, `mask` (1 for a token, 0 for padding) and `segments` (0 for the
    /// level's own clauses, 1 for general ones), all `[batch, tokens]` of integers.
    pub fn forward(
        &self,
        tokens: &Tensor,
        mask: &Tensor,
        segments: &Tensor,
        train: bool,
    ) -> Output {
        let states = self
            .bert
            .forward_t(Some(tokens), Some(mask), Some(segments), None, None, None, None, train)
            .expect("tokens are given, and the mask has two dimensions")
            .hidden_state;
        let padding = mask.eq(0).unsqueeze(-1);
        let attention = self
            .attention
            .forward(&states)
            .masked_fill(&padding, f64::NEG_INFINITY)
            .softmax(1, states.kind());
        // [batch, targets, hidden]
        let pooled = attention.transpose(1, 2).matmul(&states);
        let heads: Vec<Tensor> = self
            .heads
            .iter()
            .zip(0..)
            .map(|(head, target)| head.forward(&pooled.select(1, target)))
            .collect();
        let heads = Tensor::stack(&heads, 1).to_kind(Kind::Float);
        let gate = self.gate.take(&(tokens + segments * self.vocabulary)) * mask;
        Output {
            verdicts: heads.narrow(-1, 0, CLASSES),
            hedged: heads.select(-1, CLASSES),
            attention,
            gate: gate.sum_dim_intlist(1, false, Kind::Float),
        }
    }
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;

    const TINY: Config =
        Config { vocabulary: 50, hidden: 16, intermediate: 32, layers: 2, heads: 2, longest: 12 };

    #[test]
    fn padding_changes_nothing() {
        tch::manual_seed(1);
        let variables = nn::VarStore::new(Device::Cpu);
        let network = Network::new(&variables.root(), &TINY);
        let tokens = Tensor::from_slice(&[1_i64, 7, 9, 4]).unsqueeze(0);
        let ones = tokens.ones_like();
        let alone = network.forward(&tokens, &ones, &tokens.zeros_like(), false);
        let padded = Tensor::cat(&[&tokens, &tokens.zeros_like()], 1);
        let mask = Tensor::cat(&[&ones, &ones.zeros_like()], 1);
        let beside = network.forward(&padded, &mask, &padded.zeros_like(), false);
        assert_eq!(alone.verdicts.size(), [1, 5, CLASSES]);
        assert_eq!(alone.attention.size(), [1, 4, 5]);
        assert!(alone.verdicts.allclose(&beside.verdicts, 1e-4, 1e-4, false));
        let shares = beside.attention.sum_dim_intlist(1, false, Kind::Float);
        assert!(shares.allclose(&shares.ones_like(), 1e-4, 1e-4, false));
        let wasted = f64::try_from(beside.attention.narrow(1, 4, 4).sum(Kind::Float)).unwrap();
        assert!(wasted < 1e-6, "{wasted} of the attention is for padding");
    }

    #[test]
    fn segments_and_order_are_seen() {
        tch::manual_seed(1);
        let variables = nn::VarStore::new(Device::Cpu);
        let network = Network::new(&variables.root(), &TINY);
        let read = |tokens: &[i64], segment: i64| {
            let tokens = Tensor::from_slice(tokens).unsqueeze(0);
            let segments = tokens.full_like(segment);
            network.forward(&tokens, &tokens.ones_like(), &segments, false).verdicts
        };
        let first = read(&[1, 7, 9, 4], 0);
        assert!(!first.allclose(&read(&[1, 7, 9, 4], 1), 1e-4, 1e-4, false));
        assert!(!first.allclose(&read(&[1, 9, 7, 4], 0), 1e-4, 1e-4, false));
    }
}
