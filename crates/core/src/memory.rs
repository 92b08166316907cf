//! What was settled by others and found before: the layers of settings, what is drawn from them, and
//! the result of the last discovery that let somebody in.

use std::sync::Arc;

use offhook_config::Layers;
use offhook_model::{
    AcceptedKey, Area, Layer, Outcome, Preset, Problem, Provisioned, Source, TraceStep,
};
use offhook_ports::{Found, Remembered, StoreRequest};

use crate::{Core, Effect};

/// Sources that speak at a sign-in; each sign-in says all of them anew.
const OF_SERVERS: [Source; 4] =
    [Source::Cloud, Source::GlobalFile, Source::GroupFile, Source::ServiceProfile];

/// Who is to let us in, and how that is known.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub(crate) found: Found,
    /// It was remembered; nobody was asked for it this time.
    pub(crate) from_memory: bool,
    /// To be kept once it has let us in.
    pub(crate) remember: Option<Remembered>,
}

/// Layers, and what was found.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    provisioned: Provisioned,
    layers: Layers,
    shown: Arc<Vec<Layer>>,
    preset: Arc<Preset>,
    remembered: Option<Remembered>,
}

impl Memory {
    /// What earlier runs kept.
    pub(crate) fn new(provisioned: Provisioned, remembered: Option<Remembered>) -> Self {
        let layers = Layers::new(provisioned.layers.clone());
        let (shown, preset) = (Arc::new(layers.layers().to_vec()), Arc::new(layers.preset()));
        Self { provisioned, layers, shown, preset, remembered }
    }

    /// What is settled before discovery.
    pub(crate) fn preset(&self) -> &Arc<Preset> {
        &self.preset
    }

    /// The settings in force.
    pub(crate) fn settings(&self) -> &Layers {
        &self.layers
    }

    /// All layers, to be shown.
    pub(crate) fn layers(&self) -> &Arc<Vec<Layer>> {
        &self.shown
    }

    /// What discovery found the last time.
    pub(crate) fn remembered(&self) -> Option<&Remembered> {
        self.remembered.as_ref()
    }
}

impl Core {
    /// What the core wants before anything has happened: the first launch is over, and the policies
    /// of earlier runs are in force.
    pub(crate) fn begin(&mut self) {
        if !std::mem::replace(&mut self.memory.provisioned.launched, true) {
            self.keep_provisioned();
        }
        self.set_trust();
        self.out.push_back(Effect::SetIpMode(self.memory.preset.ip_mode));
    }

    /// Settings that the servers gave at a sign-in that succeeded. They count from the next sign-in
    /// on.
    pub(crate) fn take_layers(&mut self, given: Vec<Layer>) {
        let mut layers = self.memory.layers.clone();
        OF_SERVERS.into_iter().for_each(|source| layers.remove(source));
        given.into_iter().for_each(|layer| layers.put(layer));
        self.set_layers(layers);
    }

    /// Replaces the layer of this one's source.
    pub(crate) fn take_layer(&mut self, layer: Layer) {
        let mut layers = self.memory.layers.clone();
        layers.put(layer);
        self.set_layers(layers);
    }

    /// What the machine's administrator settled at installation stays for now, and is read anew at
    /// the next start; all else goes.
    pub(crate) fn drop_layers(&mut self) {
        self.memory.provisioned.launched = false;
        self.memory.provisioned.bootstrap_digest = None;
        let kept = self.memory.layers.layers().iter();
        let kept = kept.filter(|layer| layer.source == Source::Bootstrap).cloned();
        self.set_layers(Layers::new(kept));
        self.keep_provisioned();
    }

    fn set_layers(&mut self, layers: Layers) {
        if layers == self.memory.layers {
            return;
        }
        let before = Arc::clone(&self.memory.preset);
        let preset = layers.preset();
        self.memory.shown = Arc::new(layers.layers().to_vec());
        self.memory.preset = Arc::new(preset);
        self.memory.layers = layers;
        self.draw_directory();
        self.keep_provisioned();
        if before.ip_mode != self.memory.preset.ip_mode {
            self.out.push_back(Effect::SetIpMode(self.memory.preset.ip_mode));
        }
        if before.certificates != self.memory.preset.certificates {
            self.set_trust();
        }
    }

    fn keep_provisioned(&mut self) {
        let memory = &mut self.memory;
        memory.provisioned.layers = memory.layers.layers().to_vec();
        let provisioned = Box::new(memory.provisioned.clone());
        self.store(StoreRequest::PutProvisioned(provisioned));
    }

    /// The UUID by which registrars know this device again: random, so that it tells nothing else
    /// (RFC 9562 section 5.4), made at first need and kept.
    pub(crate) fn instance(&mut self) -> String {
        if let Some(known) = &self.memory.provisioned.instance {
            return known.clone();
        }
        let mut bytes = [0; 16];
        (self.entropy)().fill(&mut bytes);
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
        let made = parts.join("-");
        self.memory.provisioned.instance = Some(made.clone());
        self.keep_provisioned();
        made
    }

    /// Keeps what has let us in.
    pub(crate) fn remember(&mut self, found: Option<Remembered>) {
        if let Some(found) = found {
            self.memory.remembered = Some(found.clone());
            self.store(StoreRequest::PutRemembered(Some(Box::new(found))));
        }
    }

    /// Forgets what was found; the next discovery asks everything anew.
    pub(crate) fn forget_found(&mut self) {
        if self.memory.remembered.take().is_some() {
            self.store(StoreRequest::PutRemembered(None));
        }
    }

    /// The certificate policy and all keys accepted for now.
    pub(crate) fn set_trust(&mut self) {
        let accepted: Vec<AcceptedKey> = self.trust.in_force();
        let policy = self.memory.preset.certificates;
        self.out.push_back(Effect::SetTrust { policy, accepted });
    }
}

/// What was remembered may be out of date: the services have moved. A refused password says nothing
/// about that.
pub(crate) fn outdated(problem: &Problem) -> bool {
    match problem.area {
        Area::Dns | Area::Network | Area::Tls | Area::Provisioning => true,
        Area::Authentication | Area::Registration | Area::Media => false,
    }
}

/// Says in the trace that what was remembered led nowhere.
pub(crate) fn outdated_step(problem: &Problem) -> TraceStep {
    TraceStep {
        step: "remembered".into(),
        asked: "sign-in with what was found the last time".into(),
        of: "this computer".into(),
        answer: problem.cause.clone(),
        ms: 0,
        outcome: Outcome::Failed,
        why: "it is forgotten, and the services are looked for anew".into(),
    }
}

/// Both lead to the same servers. SRV weights draw another order each time, so order says nothing.
pub(crate) fn same_place(a: &Found, b: &Found) -> bool {
    fn same<T: PartialEq>(a: &[T], b: &[T]) -> bool {
        a.len() == b.len() && a.iter().all(|it| b.contains(it))
    }
    match (a, b) {
        (Found::Cucm(a), Found::Cucm(b))
        | (Found::Cup(a), Found::Cup(b))
        | (Found::Edge(a), Found::Edge(b)) => same(a, b),
        (Found::Standard { xmpp: ax, sip: a }, Found::Standard { xmpp: bx, sip: b }) => {
            same(ax, bx) && same(a, b)
        }
        (
            Found::Webex { cas: ac, sso: a, voice: av },
            Found::Webex { cas: bc, sso: b, voice: bv },
        ) => (ac, a) == (bc, b) && same(av, bv),
        (
            Found::Cucm(_)
            | Found::Cup(_)
            | Found::Edge(_)
            | Found::Standard { .. }
            | Found::Webex { .. },
            _,
        ) => false,
    }
}
