//! Presses controls by their accessible names, to look at what opens.

use std::collections::VecDeque;

use egui::accesskit::{Action, ActionRequest, NodeId, TreeId};
use egui::{Context, Event, FullOutput, Plugin, RawInput};

/// Frames between two steps, so that a popup or dialog has its size.
const PACE: u32 = 3;

/// One step a few frames: `Name` is pressed, `@Name` takes the focus, `=text` is typed, `!` is the menu
/// key.
pub struct Hand {
    steps: VecDeque<String>,
    wanted: Option<(NodeId, TreeId)>,
    frames: u32,
}

impl Hand {
    pub fn new(steps: impl IntoIterator<Item = String>) -> Self {
        Self { steps: steps.into_iter().collect(), wanted: None, frames: 0 }
    }
}

impl Plugin for Hand {
    fn debug_name(&self) -> &'static str {
        "gallery hand"
    }

    fn setup(&mut self, ctx: &Context) {
        ctx.enable_accesskit();
    }

    fn input_hook(&mut self, ctx: &Context, input: &mut RawInput) {
        // Without a window manager nobody gives the window the focus.
        input.focused = true;
        let Some(step) = self.steps.front() else { return };
        ctx.request_repaint();
        self.frames += 1;
        if !self.frames.is_multiple_of(PACE) {
            return;
        }
        if let Some(text) = step.strip_prefix('=') {
            input.events.push(Event::Text(text.to_owned()));
        } else if step == "!" {
            input.events.push(Event::Key {
                key: egui::Key::Menu,
                physical_key: None,
                pressed: true,
                repeat: false,
                modifiers: egui::Modifiers::NONE,
            });
        } else {
            let Some((target_node, target_tree)) = self.wanted.take() else { return };
            let action = if step.starts_with('@') { Action::Focus } else { Action::Click };
            let request = ActionRequest { action, target_tree, target_node, data: None };
            input.events.push(Event::AccessKitActionRequest(request));
        }
        self.steps.pop_front();
    }

    fn output_hook(&mut self, _ctx: &Context, output: &mut FullOutput) {
        let Some(step) = self.steps.front() else { return };
        let name = step.trim_start_matches('@');
        let Some(update) = &output.platform_output.accesskit_update else { return };
        let found = update
            .nodes
            .iter()
            .find(|(_, node)| node.label() == Some(name) && node.supports_action(Action::Focus));
        self.wanted = found.map(|(id, _)| (*id, update.tree_id));
    }
}
