//! A window without a screen: the shell, a snapshot, and the commands it sent.

#![allow(dead_code, reason = "each test file uses a part")]

pub mod people;
pub mod rooms;
pub mod sample;
pub mod talk;
pub mod trust;

use std::cell::RefCell;
use std::rc::Rc;

use egui::accesskit::Toggled;
use egui_kittest::Harness;
use egui_kittest::kittest::{AccessKitNode, NodeT as _, Queryable as _};
use offhook_model::{Command, Snapshot, Timestamp};
use offhook_shell::{Place, Shell};

/// What the window sees and said.
pub struct World {
    shell: Rc<RefCell<Option<Shell>>>,
    pub snapshot: Snapshot,
    pub now: Timestamp,
    pub sent: Vec<Command>,
}

/// A window on a world.
pub struct Window {
    pub harness: Harness<'static, World>,
}

impl Window {
    /// A wide window in English, times in UTC.
    pub fn new(snapshot: Snapshot) -> Self {
        Self::of(snapshot, egui::vec2(1240.0, 800.0), "en")
    }

    /// A window that is high enough for everything on a long page.
    pub fn tall(snapshot: Snapshot) -> Self {
        Self::of(snapshot, egui::vec2(1240.0, 3600.0), "en")
    }

    /// A window of this size in this language.
    pub fn of(snapshot: Snapshot, size: egui::Vec2, language: &'static str) -> Self {
        let shell = Rc::new(RefCell::new(None));
        let slot = Rc::clone(&shell);
        let world = World { shell, snapshot, now: sample::NOW, sent: Vec::new() };
        let harness = Harness::builder()
            .with_size(size)
            .with_max_steps(12)
            .with_context_setup(move |ctx| {
                let mut shell = Shell::new(ctx, Some(language));
                shell.set_zone(|_| 0);
                *slot.borrow_mut() = Some(shell);
            })
            .build_ui_state(
                |ui, world: &mut World| {
                    let mut shell = world.shell.borrow_mut();
                    let shell = shell.as_mut().expect("set up");
                    let sent = &mut world.sent;
                    shell.ui(ui, &world.snapshot, world.now, (0.0, 0.0), &mut |command| {
                        sent.push(command);
                    });
                },
                world,
            );
        Self { harness }
    }

    /// Opens a place.
    pub fn open(mut self, place: Place) -> Self {
        let shell = Rc::clone(&self.harness.state().shell);
        shell.borrow_mut().as_mut().expect("set up").open(place);
        self.harness.run();
        self
    }

    /// Presses the control of this name.
    pub fn press(&mut self, name: &str) -> &mut Self {
        self.control(name).click();
        self.harness.run();
        self
    }

    /// The one control of this name, whatever its role.
    pub fn control<'a>(&'a self, name: &'a str) -> egui_kittest::Node<'a> {
        self.harness.get_by(move |node| {
            node.label().as_deref() == Some(name) && egui::accessibility::is_input(node.role())
                || node.label().as_deref() == Some(name) && is_row(node)
        })
    }

    /// Types into the field of this name.
    pub fn type_into(&mut self, name: &str, text: &str) -> &mut Self {
        self.control(name).focus();
        self.harness.run();
        self.control(name).type_text(text);
        self.harness.run();
        self
    }

    /// Presses a key.
    pub fn key(&mut self, modifiers: egui::Modifiers, key: egui::Key) -> &mut Self {
        self.harness.key_press_modifiers(modifiers, key);
        self.harness.run();
        self
    }

    /// Replaces the picture.
    pub fn see(&mut self, snapshot: Snapshot) -> &mut Self {
        self.harness.state_mut().snapshot = snapshot;
        self.harness.run();
        self
    }

    /// Lets time pass.
    pub fn wait(&mut self, milliseconds: i64) -> &mut Self {
        self.harness.state_mut().now.0 += milliseconds;
        self.harness.run();
        self
    }

    /// What was sent since the last question, as text.
    pub fn sent(&mut self) -> Vec<String> {
        let sent = std::mem::take(&mut self.harness.state_mut().sent);
        sent.iter().map(|command| format!("{command:?}")).collect()
    }

    /// True when this text is said by some node.
    pub fn says(&self, text: &str) -> bool {
        self.harness.root().children_recursive().any(|node| {
            let node = node.accesskit_node();
            node.label().is_some_and(|label| label.contains(text))
                || node.value().is_some_and(|value| value.contains(text))
        })
    }

    /// The accessibility tree: role, name, state; places and ids left out.
    pub fn tree(&self) -> String {
        let mut text = String::new();
        walk(&self.harness.root().accesskit_node(), 0, &mut text);
        text
    }
}

fn is_row(node: &AccessKitNode<'_>) -> bool {
    use egui::Role::{ListItem, MenuItem, MenuItemRadio, Tab};
    [ListItem, MenuItem, MenuItemRadio, Tab].contains(&node.role())
}

fn walk(node: &AccessKitNode<'_>, depth: usize, text: &mut String) {
    use std::fmt::Write as _;
    let label = node.label().unwrap_or_default();
    let value = node.value().unwrap_or_default();
    let data = node.data();
    let quiet = label.is_empty()
        && value.is_empty()
        && matches!(
            node.role(),
            egui::Role::GenericContainer | egui::Role::Unknown | egui::Role::Window
        );
    let inner = if quiet { depth } else { depth + 1 };
    if !quiet && node.role() != egui::Role::TextRun {
        let _ = write!(text, "{}{:?}", "  ".repeat(depth), node.role());
        if !label.is_empty() {
            let _ = write!(text, " {label:?}");
        }
        if !value.is_empty() && value != label {
            let _ = write!(text, " = {value:?}");
        }
        match node.toggled() {
            Some(Toggled::True) => text.push_str(" on"),
            Some(Toggled::False) => text.push_str(" off"),
            Some(Toggled::Mixed) | None => {}
        }
        if node.is_disabled() {
            text.push_str(" disabled");
        }
        if node.is_focused() {
            text.push_str(" focused");
        }
        if let Some(live) = data.live() {
            let _ = write!(text, " live {live:?}");
        }
        text.push('\n');
    }
    for child in node.children() {
        walk(&child, inner, text);
    }
}
