//! The laboratory's call manager with several of our clients, for call control end to end.

use serde_json::{Value, json};

use crate::{Client, Lab, Scratch, Setup, until};

/// A laboratory and the folder of everybody.
pub struct Cluster {
    /// The laboratory.
    pub lab: Lab,
    scratch: Scratch,
}

impl Cluster {
    /// Starts the `on-prem` scenario with this TOML text.
    ///
    /// # Panics
    /// It does not start.
    pub fn new(config: &str) -> Self {
        Self::with_scenario("on-prem", &[], config)
    }

    /// Starts a scenario with faults and this TOML text.
    ///
    /// # Panics
    /// It does not start.
    pub fn with_scenario(scenario: &str, faults: &[&str], config: &str) -> Self {
        let scratch = Scratch::new();
        let lab = Lab::scenario(scratch.path(), scenario, faults, config);
        Self { lab, scratch }
    }

    /// A client that is not signed in and says this tone, in hertz.
    pub fn client(&self, name: &str, hertz: u32) -> Client {
        let setup = Setup {
            name_server: Some(self.lab.name_server()),
            ca_file: Some(self.lab.authority()),
            input: Some(format!("tone:{hertz}")),
            ..Setup::default()
        };
        Client::start(self.scratch.path(), name, &setup)
    }

    /// A user of the laboratory whose phone is registered.
    ///
    /// # Panics
    /// It is not.
    #[track_caller]
    pub fn user(&self, name: &str, hertz: u32) -> Client {
        let since = self.lab.count();
        let client = self.client(name, hertz);
        client.sign_in(&format!("{name}@lab.example"), "secret", &["phone"]);
        self.until_registered(name, since);
        client
    }

    /// Waits for a registration of a user's phone after `since`.
    ///
    /// # Panics
    /// It does not come.
    #[track_caller]
    pub fn until_registered(&self, name: &str, since: usize) -> Value {
        let device = format!("CSF{}", name.to_ascii_uppercase());
        let told = || self.lab.events().into_iter().skip(since).collect::<Vec<Value>>();
        let wanted =
            |event: &Value| event["type"] == "registered" && event["device"] == device.as_str();
        crate::attempt(60, || told().into_iter().find(|event| wanted(event)))
            .unwrap_or_else(|| panic!("{device} does not register; what came: {:#?}", told()))
    }

    /// Waits until alice's phone is at a node.
    ///
    /// # Panics
    /// It is not.
    #[track_caller]
    pub fn until_at(&self, node: &str, since: usize) -> Value {
        until(&format!("alice's phone is at {node}"), 60, || {
            self.lab.events().into_iter().skip(since).find(|event| {
                event["type"] == "registered"
                    && event["device"] == "CSFALICE"
                    && event["node"] == node
            })
        })
    }

    /// Says a word to the laboratory; how much had happened before.
    pub fn tell(&self, word: &str) -> usize {
        let since = self.lab.count();
        self.lab.tell(word);
        since
    }
}

impl Client {
    /// Waits until the phone is so.
    ///
    /// # Panics
    /// It is not.
    #[track_caller]
    pub fn until_phone(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        until(what, 20, || Some(self.must("phone.state", Value::Null)).filter(|it| wanted(it)))
    }

    /// A call as the list has it, or null.
    pub fn call(&self, id: &str) -> Value {
        let calls = self.must("call.list", json!({}));
        let items = calls["items"].as_array().cloned().unwrap_or_default();
        items.into_iter().find(|call| call["id"] == id).unwrap_or(Value::Null)
    }

    /// Waits until a call is so.
    ///
    /// # Panics
    /// It is not.
    #[track_caller]
    pub fn until_call_is(&self, what: &str, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        until(what, 20, || Some(self.call(id)).filter(|call| wanted(call)))
    }

    /// Dials and waits for the answer; the call's id.
    ///
    /// # Panics
    /// Nobody answers.
    #[track_caller]
    pub fn connect(&self, to: &str) -> String {
        let since = self.count();
        let id = self.dial(to);
        self.until_call(&id, "connected", since);
        id
    }

    /// Dials a number that rings at another client, which answers; the ids at both ends.
    ///
    /// # Panics
    /// They do not come together.
    #[track_caller]
    pub fn connect_to(&self, number: &str, other: &Client) -> (String, String) {
        let (since, theirs) = (self.count(), other.count());
        let id = self.dial(number);
        let there = other.until_called(theirs);
        other.must("call.answer", json!({ "id": there }));
        self.until_call(&id, "connected", since);
        other.until_call(&there, "connected", theirs);
        (id, there)
    }
}
