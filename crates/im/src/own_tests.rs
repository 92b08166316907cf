//! The planning guide's tables and the rules of reference im-presence.md section 4, as tables; and
//! random schedules.

use std::time::Duration;

use offhook_model::{Activity, Availability, Timestamp};
use proptest::prelude::*;

use super::{IN_USE, LEFT, Own, Rules, Shown};

const NOW: Timestamp = Timestamp(1_700_000_000_000);

fn own(change: impl FnOnce(&mut Rules)) -> Own {
    let mut own = Own::default();
    change(&mut own.rules);
    own
}

fn state(own: &Own) -> (Availability, Option<Activity>) {
    let Shown { presence, .. } = own.compose(NOW);
    (presence.availability, presence.activity)
}

const FREE: (Availability, Option<Activity>) = (Availability::Available, None);
const MEETING: (Availability, Option<Activity>) = (Availability::Away, Some(Activity::InMeeting));
const CALL: (Availability, Option<Activity>) = (Availability::Away, Some(Activity::OnCall));
const PRESENTING: (Availability, Option<Activity>) =
    (Availability::Dnd, Some(Activity::Presenting));

#[test]
fn who_sets_in_a_meeting_is_as_the_guides_table_has_it() {
    // Deployment, its integration, the user's option, what the client tells during a meeting of the
    // calendar. Where the server sets it, the client tells what it told before.
    let table = [
        ("on-premises with Exchange integration", true, true, FREE),
        ("on-premises with Exchange integration", true, false, FREE),
        ("on-premises without", false, true, MEETING),
        ("on-premises without", false, false, FREE),
        ("cloud", false, true, MEETING),
        ("cloud", false, false, FREE),
    ];
    for (deployment, integration, option, want) in table {
        let mut own = own(|rules| {
            rules.server_sets_meetings = integration;
            rules.meetings = option;
        });
        own.calendar(true);
        assert_eq!(state(&own), want, "{deployment}, option {option}");
        own.calendar(false);
        assert_eq!(state(&own), FREE);
    }
}

#[test]
fn meetings_outside_the_calendar_are_the_clients_alone() {
    for (integration, want) in [(false, MEETING), (true, FREE)] {
        // The option speaks of the calendar only.
        let mut own = own(|rules| {
            rules.server_sets_meetings = integration;
            rules.meetings = false;
        });
        own.activity(Some(Activity::InMeeting));
        assert_eq!(state(&own), want);
    }
}

#[test]
fn calls_are_told_where_the_server_does_not_hear_of_them() {
    for (server, want) in [(false, CALL), (true, FREE)] {
        let mut own = own(|rules| rules.server_sets_calls = server);
        own.calls(true);
        assert_eq!(state(&own), want);
        own.calls(false);
        assert_eq!(state(&own), FREE);
    }
}

#[test]
fn a_state_by_hand_goes_before_devices_and_available_is_none() {
    for chosen in [Availability::Away, Availability::Dnd, Availability::Offline] {
        for before in [true, false] {
            let mut own = Own::default();
            if before {
                own.choose(chosen, None);
            }
            own.calls(true);
            own.calendar(true);
            own.choose(chosen, None);
            assert_eq!(state(&own), (chosen, None));
            own.choose(Availability::Available, None);
            assert_eq!(state(&own), MEETING, "available is no override");
        }
    }
}

#[test]
fn of_what_goes_on_the_last_one_set_shows_and_the_one_before_returns() {
    let mut own = Own::default();
    own.choose(Availability::Available, Some("until five".to_owned()));
    own.calls(true);
    own.calendar(true);
    assert_eq!(state(&own), MEETING);
    own.calls(true);
    assert_eq!(state(&own), MEETING, "a second call is no news");
    own.activity(Some(Activity::Presenting));
    assert_eq!(state(&own), PRESENTING);
    own.activity(None);
    assert_eq!(state(&own), MEETING);
    own.calendar(false);
    assert_eq!(state(&own), CALL);
    own.calls(false);
    assert_eq!(state(&own), FREE);
    assert_eq!(own.compose(NOW).presence.note.as_deref(), Some("until five"));
}

#[test]
fn by_hand_the_last_word_counts() {
    let mut own = Own::default();
    own.choose(Availability::Dnd, None);
    own.activity(Some(Activity::InMeeting));
    assert_eq!(state(&own), (Availability::Dnd, Some(Activity::InMeeting)));
    own.choose(Availability::Dnd, None);
    assert_eq!(state(&own), (Availability::Dnd, None));
    own.choose(Availability::Available, None);
    assert_eq!(state(&own), FREE, "available ends a meeting that was set by hand");
    own.activity(Some(Activity::Presenting));
    own.choose(Availability::Available, None);
    assert_eq!(state(&own), PRESENTING, "a presentation ends with the sharing");
    own.activity(Some(Activity::OnCall));
    assert_eq!(state(&own), FREE, "calls are told by the phone alone");
}

#[test]
fn a_left_desk_makes_available_away_and_nothing_else() {
    let ago = |minutes: i64| Some(Timestamp(NOW.0 - minutes * 60_000));
    let table = [
        (Availability::Available, 14, false, Availability::Available, IN_USE),
        (Availability::Available, 15, false, Availability::Away, LEFT),
        (Availability::Available, 0, true, Availability::Away, LEFT),
        (Availability::Dnd, 15, true, Availability::Dnd, LEFT),
        (Availability::Away, 0, false, Availability::Away, LEFT),
        (Availability::Away, 15, true, Availability::Away, LEFT),
        (Availability::Offline, 15, true, Availability::Offline, LEFT),
    ];
    for (chosen, minutes, locked, want, priority) in table {
        let mut own = Own::default();
        own.choose(chosen, None);
        own.desk(ago(minutes), locked, NOW);
        let shown = own.compose(NOW);
        assert_eq!((shown.presence.availability, shown.priority), (want, priority));
        let told = (minutes >= 15 || locked) && chosen != Availability::Offline;
        assert_eq!(shown.idle_since, ago(minutes).filter(|_| told));
        own.desk(None, false, NOW);
        assert_eq!(own.compose(NOW).presence.availability, chosen, "who comes back is as before");
    }
    let mut own = own(|rules| {
        rules.away_after = None;
        rules.away_when_locked = false;
    });
    own.desk(ago(1_000), true, NOW);
    assert_eq!(state(&own), FREE, "it was switched off");
    assert_eq!(own.due(NOW), None);
}

#[test]
fn the_moment_of_leaving_is_known_before() {
    let mut own = own(|rules| rules.away_after = Some(Duration::from_secs(60)));
    own.desk(Some(NOW), false, NOW);
    let due = own.due(NOW).expect("it will come");
    assert_eq!(due, Timestamp(NOW.0 + 60_000));
    assert_eq!(own.compose(Timestamp(due.0 - 1)).presence.availability, Availability::Available);
    assert_eq!(own.compose(due).presence.availability, Availability::Away);
    assert_eq!(own.due(due), None);
}

#[derive(Clone, Debug)]
enum Step {
    Calls(bool),
    Calendar(bool),
    Activity(Option<Activity>),
    Desk(Option<i64>, bool),
    Choose(Availability),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let activity = prop_oneof![
        Just(None),
        Just(Some(Activity::InMeeting)),
        Just(Some(Activity::Presenting)),
        Just(Some(Activity::OnCall)),
    ];
    let availability = prop_oneof![
        Just(Availability::Available),
        Just(Availability::Away),
        Just(Availability::Dnd),
        Just(Availability::Offline),
    ];
    let step = prop_oneof![
        any::<bool>().prop_map(Step::Calls),
        any::<bool>().prop_map(Step::Calendar),
        activity.prop_map(Step::Activity),
        (proptest::option::of(0..100_i64), any::<bool>()).prop_map(|(m, l)| Step::Desk(m, l)),
        availability.prop_map(Step::Choose),
    ];
    proptest::collection::vec(step, 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn after_everything_is_at_rest_the_users_choice_shows(
        steps in steps(),
        (calls, meetings, option) in any::<(bool, bool, bool)>(),
    ) {
        let mut own = own(|rules| {
            rules.server_sets_calls = calls;
            rules.server_sets_meetings = meetings;
            rules.meetings = option;
        });
        let mut chosen = Availability::Available;
        for step in steps {
            match step {
                Step::Calls(any) => own.calls(any),
                Step::Calendar(meeting) => own.calendar(meeting),
                Step::Activity(activity) => own.activity(activity),
                Step::Desk(minutes, locked) => {
                    let since = minutes.map(|minutes| Timestamp(NOW.0 - minutes * 60_000));
                    own.desk(since, locked, NOW);
                }
                Step::Choose(availability) => {
                    chosen = availability;
                    own.choose(availability, None);
                }
            }
            let shown = own.compose(NOW).presence;
            // At no time does anything but the user hide or show us, or soften "do not disturb".
            let hidden = chosen == Availability::Offline;
            prop_assert_eq!(shown.availability == Availability::Offline, hidden);
            if chosen == Availability::Dnd {
                prop_assert_eq!(shown.availability, Availability::Dnd);
            }
            if calls {
                prop_assert_ne!(shown.activity, Some(Activity::OnCall));
            }
            if meetings {
                prop_assert_ne!(shown.activity, Some(Activity::InMeeting));
            }
        }
        own.calls(false);
        own.calendar(false);
        own.activity(None);
        own.desk(None, false, NOW);
        let shown = own.compose(NOW);
        prop_assert_eq!((shown.presence.availability, shown.presence.activity), (chosen, None));
        prop_assert_eq!(shown.idle_since, None);
    }
}
