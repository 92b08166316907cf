//! Pictures of an X server that nobody else looks at.
#![cfg(target_os = "linux")]
#![allow(clippy::print_stderr, reason = "what is skipped is said aloud")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use offhook_model::CaptureArea;
use offhook_platform::{Picture, capture_of};
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{
    ChangeWindowAttributesAux, ConnectionExt, CreateWindowAux, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

const GROUND: [u8; 4] = [0x20, 0x40, 0x60, 0xff];
const WINDOW: [u8; 4] = [0xc0, 0x10, 0x30, 0xff];

/// A server without a screen, with a window of 60 by 40 at 100, 50.
struct Desk {
    server: Child,
    display: String,
    _window: RustConnection,
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn desk() -> Option<Desk> {
    let mut command = Command::new("Xvfb");
    command.args(["-displayfd", "1", "-screen", "0", "320x200x24", "-nolisten", "tcp"]);
    let started = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let Ok(mut server) = started else {
        eprintln!("SKIPPED for want of Xvfb: pictures of the screen");
        return None;
    };
    let mut number = String::new();
    let output = server.stdout.take().expect("its output");
    BufReader::new(output).read_line(&mut number).expect("its display");
    let display = format!(":{}", number.trim());
    let (x, at) = x11rb::connect(Some(&display)).expect("connected");
    let (root, visual) = (x.setup().roots[at].root, x.setup().roots[at].root_visual);
    let ground = ChangeWindowAttributesAux::new().background_pixel(0x0020_4060);
    x.change_window_attributes(root, &ground).expect("asked");
    x.clear_area(false, root, 0, 0, 0, 0).expect("asked");
    let window = x.generate_id().expect("an id");
    let look = CreateWindowAux::new().background_pixel(0x00c0_1030).override_redirect(1);
    let kind = WindowClass::INPUT_OUTPUT;
    x.create_window(24, window, root, 100, 50, 60, 40, 0, kind, visual, &look).expect("asked");
    x.map_window(window).expect("asked");
    x.sync().expect("done");
    Some(Desk { server, display, _window: x })
}

fn pixel(picture: &Picture, x: u32, y: u32) -> [u8; 4] {
    let at = ((y * picture.width + x) * 4) as usize;
    picture.rgba[at..at + 4].try_into().expect("four bytes")
}

/// Moves the pointer while somebody waits for it, again and again until it was heard.
fn pointing(display: &str, area: CaptureArea, words: &str) -> Option<Picture> {
    let name = display.to_owned();
    let waiting = std::thread::spawn(move || capture_of(Some(&name), area).expect("looked at"));
    while !waiting.is_finished() {
        std::thread::sleep(Duration::from_millis(200));
        let mut command = Command::new("xdotool");
        command.args(words.split(' ')).env("DISPLAY", display);
        command.status().expect("xdotool");
    }
    waiting.join().expect("ended")
}

fn can_point() -> bool {
    let there = Command::new("xdotool").arg("version").output().is_ok();
    if !there {
        eprintln!("SKIPPED for want of xdotool: pointing at the screen");
    }
    there
}

#[test]
fn the_whole_screen_is_taken() {
    let Some(desk) = desk() else { return };
    let picture = capture_of(Some(&desk.display), CaptureArea::Screen).expect("looked at");
    let picture = picture.expect("a picture");
    assert_eq!((picture.width, picture.height), (320, 200));
    assert_eq!((pixel(&picture, 5, 5), pixel(&picture, 120, 60)), (GROUND, WINDOW));
}

#[test]
fn the_window_that_is_pointed_at_is_taken() {
    let Some(desk) = desk() else { return };
    if !can_point() {
        return;
    }
    let words = "mousemove 120 60 click 1";
    let picture = pointing(&desk.display, CaptureArea::Window, words).expect("a picture");
    assert_eq!((picture.width, picture.height), (60, 40));
    assert!(picture.rgba.chunks(4).all(|it| it == WINDOW));
}

#[test]
fn the_rectangle_that_is_drawn_is_taken_without_the_drawing() {
    let Some(desk) = desk() else { return };
    if !can_point() {
        return;
    }
    let words = "mousemove 80 30 mousedown 1 mousemove 150 60 mousemove 130 70 mouseup 1";
    let picture = pointing(&desk.display, CaptureArea::Region, words).expect("a picture");
    assert_eq!((picture.width, picture.height), (50, 40));
    assert_eq!((pixel(&picture, 0, 0), pixel(&picture, 30, 30)), (GROUND, WINDOW));
    let whole = capture_of(Some(&desk.display), CaptureArea::Screen).expect("looked at");
    assert_eq!(pixel(&whole.expect("a picture"), 80, 45), GROUND, "nothing is left behind");
}

#[test]
fn another_button_takes_nothing() {
    let Some(desk) = desk() else { return };
    if !can_point() {
        return;
    }
    assert!(pointing(&desk.display, CaptureArea::Region, "click 3").is_none());
}

#[test]
fn a_display_that_is_not_there_is_said_with_the_remedy() {
    let error = capture_of(Some(":9876"), CaptureArea::Screen).expect_err("refused");
    assert!(error.contains("send the file"), "{error}");
}
