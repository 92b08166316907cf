//! Which source wins, key by key (reference index.md, cross-cutting conventions): service profile,
//! group file, global file, configuration URL, bootstrap file, built-in default; manual settings
//! beat them all. Settings that act before discovery are the same keys, drawn into a [`Preset`].

use offhook_model::{Layer, Preset, Setting, Source};

/// All that is known, by source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layers(Vec<Layer>);

impl Layers {
    /// The layers, in any order; of two of the same source the later one counts.
    pub fn new(layers: impl IntoIterator<Item = Layer>) -> Self {
        let mut all = Self::default();
        layers.into_iter().for_each(|layer| all.put(layer));
        all
    }

    /// Replaces the layer of this source.
    pub fn put(&mut self, layer: Layer) {
        self.remove(layer.source);
        self.0.push(layer);
        self.0.sort_by_key(|layer| layer.source);
    }

    /// Drops the layer of this source.
    pub fn remove(&mut self, source: Source) {
        self.0.retain(|layer| layer.source != source);
    }

    /// All layers, the weakest first.
    pub fn layers(&self) -> &[Layer] {
        &self.0
    }

    /// The setting that counts, and where it comes from.
    pub fn setting(&self, key: &str) -> Option<(&Setting, Source)> {
        let of = |layer: &Layer, setting: &Setting| {
            let same = setting.key.eq_ignore_ascii_case(key);
            same.then_some(layer.source)
        };
        self.0
            .iter()
            .rev()
            .find_map(|layer| layer.settings.iter().find_map(|it| Some((it, of(layer, it)?))))
    }

    /// What is settled before discovery.
    pub fn preset(&self) -> Preset {
        Preset::default()
    }
}
