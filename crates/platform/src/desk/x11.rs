//! Idle time under X11: two alarms on the counter IDLETIME (X Synchronization Extension 3.1). The
//! one for leaving is always set, the one for coming back only while nobody is there: it would go off
//! with every key otherwise.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use x11rb::connection::{Connection, RequestConnection};
use x11rb::protocol::Event;
use x11rb::protocol::sync::{
    self, Alarm, ChangeAlarmAux, ConnectionExt as _, Counter, CreateAlarmAux, Int64, TESTTYPE,
    VALUETYPE,
};
use x11rb::protocol::xproto::{
    Atom, ClientMessageEvent, ConnectionExt as _, CreateWindowAux, EventMask, Window, WindowClass,
};
use x11rb::rust_connection::{ReplyError, ReplyOrIdError, RustConnection};

use super::{DeskNews, Tell};

/// The alarms.
#[derive(Debug, Default)]
struct Alarms {
    after: Option<Duration>,
    leaving: Option<Alarm>,
    coming: Option<Alarm>,
}

struct Shared {
    connection: RustConnection,
    counter: Counter,
    /// Never shown; messages to it wake the thread.
    window: Window,
    alarms: Mutex<Alarms>,
    tell: Tell,
}

/// The watch. It ends when it is dropped.
pub(super) struct Idle(Arc<Shared>);

impl Idle {
    /// On this display; without one on the session's.
    pub(super) fn start(tell: Tell, display: Option<&str>) -> Result<Self, String> {
        let shared = Shared::open(tell, display)
            .map_err(|error| format!("the X server tells no idle time: {error}"))?;
        let shared = Arc::new(shared);
        let listening = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("idle".to_owned())
            .spawn(move || listening.listen())
            .map_err(|error| format!("no thread for idle time: {error}"))?;
        Ok(Self(shared))
    }

    pub(super) fn after(&self, after: Option<Duration>) {
        if let Err(error) = self.0.set(after) {
            // The X server is gone, and with it the desk.
            drop(error);
        }
    }
}

impl Drop for Idle {
    fn drop(&mut self) {
        let shared = &self.0;
        let end = ClientMessageEvent::new(32, shared.window, Atom::from(1_u8), [0_u32; 5]);
        let _ = shared.connection.send_event(false, shared.window, EventMask::NO_EVENT, end);
        let _ = shared.connection.flush();
    }
}

impl Shared {
    fn open(tell: Tell, display: Option<&str>) -> Result<Self, String> {
        let (connection, screen) = RustConnection::connect(display).map_err(|it| it.to_string())?;
        connection
            .extension_information(sync::X11_EXTENSION_NAME)
            .map_err(|it| it.to_string())?
            .ok_or("no SYNC extension")?;
        let asked = || -> Result<_, ReplyOrIdError> {
            connection.sync_initialize(3, 1)?.reply()?;
            let counters = connection.sync_list_system_counters()?.reply()?.counters;
            let root = connection.setup().roots.get(screen).map(|screen| screen.root);
            let window = connection.generate_id()?;
            Ok((counters, root, window))
        };
        let (counters, root, window) = asked().map_err(|it| it.to_string())?;
        let counter = counters.iter().find(|it| it.name == b"IDLETIME").map(|it| it.counter);
        let counter = counter.ok_or("no counter IDLETIME")?;
        let look = CreateWindowAux::new();
        connection
            .create_window(
                0,
                window,
                root.ok_or("no screen")?,
                -1,
                -1,
                1,
                1,
                0,
                WindowClass::INPUT_ONLY,
                0,
                &look,
            )
            .map_err(|it| it.to_string())?;
        connection.flush().map_err(|it| it.to_string())?;
        Ok(Self { connection, counter, window, alarms: Mutex::default(), tell })
    }

    fn listen(&self) {
        loop {
            match self.connection.wait_for_event() {
                Ok(Event::SyncAlarmNotify(event)) => {
                    let idle = millis(event.counter_value);
                    if self.alarm(event.alarm, idle).is_err() {
                        return;
                    }
                }
                Ok(Event::ClientMessage(message)) if message.window == self.window => return,
                Ok(_) => {}
                // The X server is gone.
                Err(_) => return,
            }
        }
    }

    fn alarm(&self, alarm: Alarm, idle: Duration) -> Result<(), ReplyOrIdError> {
        let mut alarms = self.lock();
        if alarms.coming == Some(alarm) {
            self.connection.sync_destroy_alarm(alarm)?;
            alarms.coming = None;
            // Some servers forget an alarm that went off until it is touched.
            if let Some(leaving) = alarms.leaving {
                self.connection.sync_change_alarm(leaving, &ChangeAlarmAux::new().events(1))?;
            }
            self.connection.flush()?;
            drop(alarms);
            (self.tell)(DeskNews::Idle(None));
        } else if alarms.leaving == Some(alarm) {
            self.left(&mut alarms)?;
            drop(alarms);
            (self.tell)(DeskNews::Idle(Some(idle)));
        }
        Ok(())
    }

    fn set(&self, after: Option<Duration>) -> Result<(), ReplyOrIdError> {
        let mut alarms = self.lock();
        if alarms.after == after {
            return Ok(());
        }
        alarms.after = after;
        for alarm in [alarms.leaving.take(), alarms.coming.take()].into_iter().flatten() {
            self.connection.sync_destroy_alarm(alarm)?;
        }
        if let Some(after) = after {
            alarms.leaving = Some(self.arm(TESTTYPE::POSITIVE_TRANSITION, after)?);
            let idle = self.idle()?;
            // Who has left already is not seen leaving.
            if idle >= after {
                self.left(&mut alarms)?;
                drop(alarms);
                (self.tell)(DeskNews::Idle(Some(idle)));
                return Ok(());
            }
        }
        self.connection.flush()?;
        drop(alarms);
        (self.tell)(DeskNews::Idle(None));
        Ok(())
    }

    fn left(&self, alarms: &mut Alarms) -> Result<(), ReplyOrIdError> {
        if alarms.coming.is_none() {
            let soon = Duration::from_millis(1);
            alarms.coming = Some(self.arm(TESTTYPE::NEGATIVE_TRANSITION, soon)?);
        }
        self.connection.flush()?;
        Ok(())
    }

    fn arm(&self, test: TESTTYPE, at: Duration) -> Result<Alarm, ReplyOrIdError> {
        let alarm = self.connection.generate_id()?;
        let settings = CreateAlarmAux::new()
            .counter(self.counter)
            .value_type(VALUETYPE::ABSOLUTE)
            .value(int64(at))
            .test_type(test)
            .delta(int64(Duration::ZERO))
            .events(1);
        self.connection.sync_create_alarm(alarm, &settings)?;
        Ok(alarm)
    }

    fn idle(&self) -> Result<Duration, ReplyError> {
        let answer = self.connection.sync_query_counter(self.counter)?.reply()?;
        Ok(millis(answer.counter_value))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Alarms> {
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn int64(time: Duration) -> Int64 {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX) & (i64::MAX as u64);
    Int64 { hi: (millis >> 32) as i32, lo: millis as u32 }
}

fn millis(value: Int64) -> Duration {
    let hi = u64::try_from(value.hi).unwrap_or_default();
    Duration::from_millis(hi << 32 | u64::from(value.lo))
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};
    use std::sync::{Arc, Mutex, mpsc};
    use std::time::Duration;

    use super::Idle;
    use crate::desk::DeskNews;

    #[test]
    fn the_x_server_tells_when_somebody_leaves_and_comes_back() {
        let mut xvfb = Command::new("Xvfb");
        xvfb.args(["-displayfd", "1", "-screen", "0", "320x240x24", "-nolisten", "tcp"]);
        let child = xvfb.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let moves = Command::new("xdotool").arg("version").stdout(Stdio::null()).status();
        let (Ok(mut child), Ok(_)) = (child, moves) else {
            return eprintln!("SKIPPED: idle time needs Xvfb and xdotool");
        };
        let mut number = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut number).expect("one");
        let display = format!(":{}", number.trim());
        let (sender, told) = mpsc::sync_channel(16);
        let sender = Mutex::new(sender);
        let tell = move |news| {
            let _ = sender.lock().expect("one thread").send(news);
        };
        let idle = Idle::start(Arc::new(tell), Some(&display)).expect("an X server");
        let next = || told.recv_timeout(Duration::from_secs(20)).expect("in time");

        let after = Duration::from_millis(300);
        idle.after(Some(after));
        let mut gone = next();
        if gone == DeskNews::Idle(None) {
            gone = next();
        }
        assert!(matches!(gone, DeskNews::Idle(Some(time)) if time >= after), "{gone:?}");
        for round in 0..2 {
            let at = ["mousemove", "10", if round == 0 { "10" } else { "20" }];
            let moved = Command::new("xdotool").args(at).env("DISPLAY", &display).status();
            assert!(moved.is_ok_and(|status| status.success()));
            assert_eq!(next(), DeskNews::Idle(None), "round {round}");
            assert!(matches!(next(), DeskNews::Idle(Some(_))), "round {round}");
        }
        drop(idle);
        let _ = child.kill();
        let _ = child.wait();
    }
}
