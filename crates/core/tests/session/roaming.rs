//! A thousand lives of a laptop, each from its own seed: it sleeps, walks between office and street,
//! meets login pages, loses nodes, tokens and the network. Whatever comes: within three seconds of
//! the network being good it is signed in again, never by two attempts at once, never over the
//! budget, and no message is lost or sent twice.

use std::time::Duration;

use offhook_core::Event;
use offhook_model::{Command, Reply, SessionState};

use crate::bench::secs;
use crate::world::World;

/// What is promised once nothing is in the way.
const PROMISE: Duration = Duration::from_secs(3);

#[derive(Debug)]
enum Happening {
    /// Seconds of sleep, and whether the machine wakes up elsewhere.
    Sleep(u64, bool),
    /// Between inside and outside, with so many milliseconds without any network between.
    Roam(u64),
    /// A chat server and a call server go; others of their kind are there.
    NodeLoss,
    TokenExpiry,
    /// A login page, for so many milliseconds.
    Portal(u64),
    /// The network goes and comes back the same, so many times, for so many milliseconds.
    Flap(u64, u64),
    /// The authenticator fails so many times.
    Broken(u32),
}

fn happening(world: &mut World) -> Happening {
    let dice = &mut world.dice;
    match dice.below(13) {
        0 | 1 => Happening::Sleep(dice.between(10, 40_000), dice.below(2) == 0),
        2..=4 => Happening::Roam(if dice.below(2) == 0 { 0 } else { dice.between(50, 6_000) }),
        5 | 6 => Happening::NodeLoss,
        7 | 8 => Happening::TokenExpiry,
        9 => Happening::Portal(dice.between(500, 55_000)),
        10 | 11 => Happening::Flap(dice.between(1, 4), dice.between(100, 4_000)),
        _ => Happening::Broken(u32::try_from(dice.between(1, 3)).expect("small")),
    }
}

fn roam(world: &mut World, pause: u64) {
    world.cut();
    if pause > 0 {
        world.online = false;
        world.tell_network();
        world.run(Duration::from_millis(pause));
    }
    world.outside = !world.outside;
    world.online = true;
    world.tell_network();
}

fn happen(world: &mut World, what: &Happening) {
    match what {
        Happening::Sleep(seconds, elsewhere) => {
            world.cut();
            let ms = i64::try_from(*seconds).expect("small") * 1_000;
            world.bench.now.wall.0 += ms;
            if *elsewhere {
                roam(world, 0);
            } else {
                world.bench.send(Event::Timeout);
                world.run(Duration::ZERO);
                world.mark();
            }
        }
        Happening::Roam(pause) => roam(world, *pause),
        Happening::NodeLoss => world.drop_connections(),
        Happening::TokenExpiry => {
            world.token_over = true;
            if world.outside {
                world.drop_connections();
            }
        }
        Happening::Portal(ms) => {
            world.cut();
            world.portal = true;
            world.outside = true;
            world.tell_network();
            world.run(Duration::from_millis(*ms));
            // Nothing tells that the login page is out of the way.
            world.portal = false;
            world.mark();
        }
        Happening::Flap(times, ms) => {
            for _ in 0..*times {
                world.cut();
                world.online = false;
                world.tell_network();
                world.run(Duration::from_millis(*ms));
                world.online = true;
                world.tell_network();
                world.run(Duration::from_millis(*ms / 2));
            }
        }
        Happening::Broken(times) => {
            world.broken = *times;
            roam(world, 0);
        }
    }
}

/// Lets `time` pass and looks whether the promise is kept; the number of times it was not due because
/// no attempt was left.
fn watch(world: &mut World, time: Duration) -> (u32, Option<String>) {
    let end = world.bench.now.at + time;
    let mut excused = 0;
    while world.bench.now.at < end {
        let due = world.good_since.map(|since| since + PROMISE);
        match due.filter(|due| *due > world.bench.now.at && *due <= end) {
            Some(due) => {
                world.run(due.saturating_duration_since(world.bench.now.at));
                // It may have been cut short meanwhile.
                let kept = world.good_since.map(|since| since + PROMISE) == Some(due);
                if kept && world.state() != SessionState::SignedIn {
                    if world.budget_was_out(PROMISE) {
                        excused += 1;
                    } else {
                        let session = world.bench.session();
                        return (excused, Some(format!("not signed in after 3 s: {session:?}")));
                    }
                }
            }
            None => world.run(Duration::from_secs(1).min(end - world.bench.now.at)),
        }
    }
    (excused, None)
}

fn write(world: &mut World, sent: &mut Vec<String>) {
    let to = "bob@example.test".parse().expect("a JID");
    let command = Command::SendChat { to, body: "hello".into() };
    if let Ok(Reply::Message(id)) = world.bench.command(command) {
        sent.push(id.0);
    }
    world.run(Duration::ZERO);
}

/// One life; how often no attempt was left, and how many attempts it took.
fn live(seed: u64) -> Result<(u32, usize), String> {
    let mut world = World::new(seed);
    if world.state() != SessionState::SignedIn {
        return Err("never signed in".into());
    }
    let (mut sent, mut story, mut excused) = (vec![], vec![], 0);
    for _ in 0..world.dice.between(6, 14) {
        let pause = Duration::from_millis(world.dice.between(35_000, 200_000));
        let what = happening(&mut world);
        story.push(what);
        for _ in 0..world.dice.below(3) {
            write(&mut world, &mut sent);
        }
        happen(&mut world, story.last().expect("just pushed"));
        for _ in 0..world.dice.below(3) {
            write(&mut world, &mut sent);
        }
        let (more, broken) = watch(&mut world, pause);
        excused += more;
        if let Some(broken) = broken {
            return Err(format!("{broken} after {story:?}{}", world.diary()));
        }
        if let Some(fault) = world.faults.first() {
            return Err(format!("{fault} after {story:?}"));
        }
    }
    // Whatever the budget held back comes in the end.
    world.run(secs(1_300));
    let lost = world.lost(&sent);
    let session = world.bench.session();
    if lost > 0 || session.state != SessionState::SignedIn {
        let (of, diary) = (sent.len(), world.diary());
        return Err(format!("{lost} of {of} messages lost, {session:?} after {story:?}{diary}"));
    }
    world.faults.first().map_or(Ok((excused, world.attempts())), |fault| Err(fault.clone()))
}

#[test]
fn a_thousand_lives_of_a_laptop() {
    let (mut excused, mut attempts, mut broken) = (0, 0, vec![]);
    for seed in 0..1_000_u64 {
        match live(seed) {
            Ok((more, made)) => {
                excused += more;
                attempts += made;
            }
            Err(why) => broken.push(format!("seed {seed}: {why}")),
        }
    }
    let failures = broken.len();
    broken.truncate(3);
    assert!(broken.is_empty(), "{failures} of 1000:\n{}", broken.join("\n"));
    assert!(attempts > 5_000, "only {attempts} attempts: the lives are too quiet");
    assert!(excused < 50, "no attempt was left {excused} times");
}
