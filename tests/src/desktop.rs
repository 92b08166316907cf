//! A display of its own with a keyboard and somebody who listens to a screen reader: the window as
//! a person without a mouse or without a screen has it.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout, Command};

use serde_json::Value;

use crate::running::Running;
use crate::{attempt, program, until};

/// Where distributions keep the program that starts the bus of assistive technology.
const LAUNCHERS: [&str; 3] = [
    "/usr/libexec/at-spi-bus-launcher",
    "/usr/lib/at-spi2-core/at-spi-bus-launcher",
    "/usr/lib/at-spi-bus-launcher",
];

/// The program that starts the bus of assistive technology.
pub(crate) fn launcher() -> Option<PathBuf> {
    LAUNCHERS.iter().map(PathBuf::from).find(|path| path.is_file())
}

/// What stands behind a word of [`Desktop::look`].
#[derive(Clone, Debug)]
pub struct Node(Value);

impl Node {
    fn word(&self, key: &str) -> &str {
        self.0[key].as_str().unwrap_or_default()
    }

    /// Its name, as it is read out.
    pub fn name(&self) -> &str {
        self.word("name")
    }

    /// Its role, as the specification of AT-SPI names it.
    pub fn role(&self) -> &str {
        self.word("role")
    }

    /// What stands in it, for fields.
    pub fn text(&self) -> &str {
        self.word("text")
    }

    /// Its place in the tree, to tell it from others of the same name.
    pub fn place(&self) -> &str {
        self.word("id")
    }

    /// One of `focused`, `checked`, `selected` and `enabled`.
    pub fn is(&self, state: &str) -> bool {
        self.0[state] == true
    }
}

struct Reader {
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

/// Display, message buses and screen reader.
pub struct Desktop {
    environment: Vec<(&'static str, String)>,
    reader: RefCell<Reader>,
    // Ended in this order.
    _running: Vec<Running>,
}

impl Desktop {
    /// Starts everything.
    ///
    /// # Panics
    /// Something does not start.
    pub fn start(folder: &Path) -> Self {
        let folder = folder.join("desktop");
        let run = folder.join("run");
        std::fs::create_dir_all(&run).expect("a folder for the desktop");
        // It chooses a free number itself and says which when it is ready.
        let mut command = Command::new(program("Xvfb").expect("Xvfb"));
        command.args(["-displayfd", "1", "-screen", "0", "1240x800x24", "-nolisten", "tcp"]);
        let mut screen = Running::start("Xvfb", &mut command, &folder);
        let said = folder.join("Xvfb.out");
        let number = || std::fs::read_to_string(&said).ok().filter(|it| it.ends_with('\n'));
        screen.ready(60, || number().is_some());
        let display = format!(":{}", number().unwrap_or_default().trim());

        let bus = run.join("bus");
        let environment = vec![
            ("DISPLAY", display),
            ("WAYLAND_DISPLAY", String::new()),
            ("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", bus.display())),
            ("XDG_RUNTIME_DIR", run.display().to_string()),
            ("LIBGL_ALWAYS_SOFTWARE", "1".to_owned()),
        ];
        let start = |name: &str, command: &mut Command| {
            command.envs(environment.iter().map(|(name, value)| (name, value)));
            command.env("HOME", &folder).env_remove("AT_SPI_BUS_ADDRESS");
            Running::start(name, command, &folder)
        };
        let mut command = Command::new("dbus-daemon");
        command.args(["--session", "--nofork", "--nopidfile"]);
        command.arg(format!("--address=unix:path={}", bus.display()));
        let mut session = start("dbus-daemon", &mut command);
        session.ready(60, || bus.exists());
        let mut command = Command::new(launcher().expect("at-spi2-core"));
        command.args(["--launch-immediately", "--a11y=1", "--screen-reader=1"]);
        let assistive = start("at-spi-bus-launcher", &mut command);

        let script = folder.join("screen_reader.py");
        std::fs::write(&script, include_str!("../fixtures/screen_reader.py")).expect("the script");
        let mut command = Command::new("/usr/bin/python3");
        command.arg(&script).envs(environment.iter().map(|(name, value)| (name, value)));
        let mut running = Running::start_piped("screen-reader", &mut command, &folder);
        let input = running.take_input().expect("its input");
        let output = BufReader::new(running.take_output().expect("its output"));
        let reader = RefCell::new(Reader { input, output });
        Self { environment, reader, _running: vec![running, assistive, session, screen] }
    }

    /// What a program on this desktop finds in its environment.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        self.environment.clone()
    }

    /// Gives the keyboard to the window of this title.
    ///
    /// # Panics
    /// It does not come.
    pub fn focus(&self, title: &str) {
        let title = format!("^{title}$");
        until("the window takes the keyboard", 120, || {
            self.xdotool(&["search", "--onlyvisible", "--name", &title, "windowfocus"])
                .then_some(())
        });
    }

    /// Takes the keyboard from every window, as when another program is in front.
    ///
    /// # Panics
    /// It cannot be taken.
    pub fn away(&self) {
        let root = ["search", "--maxdepth", "0", "--name", ".*", "windowfocus"];
        assert!(self.xdotool(&root), "the keyboard is nobody's");
    }

    /// Whether a window of this title is seen.
    pub fn window(&self, title: &str) -> bool {
        self.xdotool(&["search", "--onlyvisible", "--name", &format!("^{title}$")])
    }

    /// Which window has the keyboard.
    ///
    /// # Panics
    /// Nobody tells.
    pub fn keyboard(&self) -> String {
        let mut command = Command::new("xdotool");
        command.arg("getwindowfocus");
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let output = command.output().expect("xdotool runs");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Presses a key or several at once, as `ctrl+shift+h`.
    ///
    /// # Panics
    /// There is no such key.
    pub fn press(&self, keys: &str) {
        assert!(self.xdotool(&["key", "--clearmodifiers", keys]), "{keys} is pressed");
    }

    /// Types.
    ///
    /// # Panics
    /// It cannot be typed.
    pub fn type_text(&self, text: &str) {
        assert!(self.xdotool(&["type", "--clearmodifiers", text]), "typing");
    }

    fn xdotool(&self, words: &[&str]) -> bool {
        let mut command = Command::new("xdotool");
        command.args(words).envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.output().expect("xdotool runs").status.success()
    }

    /// Everything that the screen reader is told, from the outside in.
    ///
    /// # Panics
    /// It ended.
    pub fn look(&self) -> Vec<Node> {
        let mut reader = self.reader.borrow_mut();
        writeln!(reader.input).expect("the screen reader listens");
        let mut line = String::new();
        reader.output.read_line(&mut line).expect("the screen reader speaks");
        let nodes: Vec<Value> = serde_json::from_str(&line).expect("the screen reader's words");
        nodes.into_iter().map(Node).collect()
    }

    /// What has the focus, if anything that can be operated has it.
    pub fn focused(&self) -> Option<Node> {
        let is_window = |node: &Node| ["frame", "window", "application"].contains(&node.role());
        self.look().into_iter().rfind(|node| node.is("focused") && !is_window(node))
    }

    /// Waits until the focus is at something whose name begins so.
    ///
    /// # Panics
    /// It never is.
    #[track_caller]
    pub fn until_focus(&self, name: &str) -> Node {
        let mut at = None;
        let found = attempt(60, || {
            at = self.focused();
            at.clone().filter(|node| node.name().starts_with(name))
        });
        found.unwrap_or_else(|| panic!("the focus never was at {name:?}; it is at {at:?}"))
    }

    /// Waits until something of this name is there.
    ///
    /// # Panics
    /// It never is.
    #[track_caller]
    pub fn until_there(&self, name: &str) -> Node {
        until(&format!("{name} is there"), 60, || {
            self.look().into_iter().find(|node| node.name().starts_with(name))
        })
    }

    /// Waits until nothing of this name is there.
    ///
    /// # Panics
    /// It stays.
    #[track_caller]
    pub fn until_gone(&self, name: &str) {
        until(&format!("{name} is gone"), 60, || {
            (!self.look().iter().any(|node| node.name().starts_with(name))).then_some(())
        });
    }

    /// Presses Tab (or Shift and Tab, by `keys`) until the focus is at something whose name begins
    /// so; the names that were passed. Each press waits until the focus has moved.
    ///
    /// # Panics
    /// Everything was passed without meeting it.
    #[track_caller]
    pub fn tab_to(&self, keys: &str, name: &str) -> Vec<String> {
        let mut passed = vec![];
        let mut at = self.focused();
        while passed.len() < 150 {
            self.press(keys);
            let before = at.as_ref().map(|node| node.place().to_owned());
            let next = attempt(60, || {
                self.focused().filter(|node| before.as_deref() != Some(node.place()))
            });
            let node = next.unwrap_or_else(|| panic!("{keys} does not move the focus from {at:?}"));
            passed.push(node.name().to_owned());
            if node.name().starts_with(name) {
                return passed;
            }
            at = Some(node);
        }
        panic!("{name} was not met by {keys}: {passed:#?}")
    }
}
