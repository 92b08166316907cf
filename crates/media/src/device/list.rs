//! Which devices there are, as a person would count them: the microphone and the earphones of one
//! headset are one device, and two headsets of one make are two.

use offhook_model::{Bluetooth, Device};

/// A device as the sound system names it.
pub(super) struct Row {
    /// Its name for people.
    pub(super) name: String,
    /// Its own name, which it has again when it comes back.
    pub(super) id: String,
    pub(super) input: bool,
    pub(super) output: bool,
}

/// The name of a device that shares its own with another.
pub(super) fn precise(name: &str, id: &str) -> String {
    format!("{name} ({id})")
}

/// All of them; `defaults` are the ids of the system's microphone and loudspeaker.
pub(super) fn gather(rows: Vec<Row>, defaults: &[Option<String>; 2]) -> Vec<Device> {
    let mut items: Vec<Device> = vec![];
    for row in rows {
        let is_default = defaults.contains(&Some(row.id.clone()));
        let bluetooth = bluetooth(&row);
        let own = |yes: bool| yes.then(|| row.id.clone());
        let device = Device {
            input: row.input,
            output: row.output,
            is_default,
            input_id: own(row.input),
            output_id: own(row.output),
            bluetooth,
            name: row.name.clone(),
        };
        let other_half = |item: &&mut Device| {
            item.name == row.name && !(item.input && row.input) && !(item.output && row.output)
        };
        if let Some(item) = items.iter_mut().find(other_half) {
            item.input |= row.input;
            item.output |= row.output;
            item.is_default |= is_default;
            item.input_id = item.input_id.take().or(device.input_id);
            item.output_id = item.output_id.take().or(device.output_id);
            // One half in the headset's profile means both.
            item.bluetooth = item.bluetooth.max(bluetooth);
        } else if items.iter().any(|item| item.name == row.name) {
            let name = precise(&row.name, &row.id);
            items.push(Device { name, ..device });
        } else {
            items.push(device);
        }
    }
    items
}

/// How it is connected by Bluetooth, if it is, as far as its names tell. PulseAudio and PipeWire begin
/// the names of such devices with `bluez`, and older ones end them with the profile; a microphone exists
/// in the headset's profile only. Windows calls the same device "Hands-Free" beside its music half.
/// Inferred from what these systems show, so what is not known is no Bluetooth.
fn bluetooth(row: &Row) -> Option<Bluetooth> {
    let (id, name) = (row.id.to_lowercase(), row.name.to_lowercase());
    let headset = ["headset_head_unit", "headset-head-unit", "handsfree", "hsp", "hfp"];
    if id.starts_with("bluez") {
        let narrow = row.input || headset.iter().any(|word| id.contains(word));
        return Some(if narrow { Bluetooth::Headset } else { Bluetooth::Music });
    }
    name.contains("hands-free").then_some(Bluetooth::Headset)
}

#[cfg(test)]
mod tests {
    use super::{Row, gather};
    use offhook_model::{Bluetooth, Device};

    fn row(name: &str, id: &str, input: bool) -> Row {
        Row { name: name.into(), id: id.into(), input, output: !input }
    }

    fn list(rows: Vec<Row>) -> Vec<Device> {
        gather(rows, &[Some("in".into()), None])
    }

    #[test]
    fn the_halves_of_a_headset_are_one_and_two_of_a_make_are_two() {
        let items = list(vec![
            row("Headset", "out.1", false),
            row("Headset", "out.2", false),
            row("Headset", "in", true),
        ]);
        let names: Vec<_> = items.iter().map(|item| item.name.as_str()).collect();
        assert_eq!(names, ["Headset", "Headset (out.2)"]);
        assert!(items[0].input && items[0].output && items[0].is_default);
        let ids = (items[0].input_id.as_deref(), items[0].output_id.as_deref());
        assert_eq!(ids, (Some("in"), Some("out.1")));
        assert!(!items[1].input && !items[1].is_default);
    }

    #[test]
    fn the_profile_of_bluetooth_is_seen_by_names() {
        for (name, id, input, expected) in [
            ("Ear", "bluez_sink.AA_BB.a2dp_sink", false, Some(Bluetooth::Music)),
            ("Ear", "bluez_sink.AA_BB.headset_head_unit", false, Some(Bluetooth::Headset)),
            ("Ear", "bluez_output.AA_BB.1", false, Some(Bluetooth::Music)),
            ("Ear", "bluez_input.AA_BB.0", true, Some(Bluetooth::Headset)),
            ("Headset (Ear Hands-Free AG Audio)", "{0.0.0}", true, Some(Bluetooth::Headset)),
            ("Built-in", "alsa_input.pci", true, None),
        ] {
            assert_eq!(list(vec![row(name, id, input)])[0].bluetooth, expected, "{id}");
        }
        let both = list(vec![
            row("Ear", "bluez_output.AA.1", false),
            row("Ear", "bluez_input.AA.0", true),
        ]);
        assert_eq!(both[0].bluetooth, Some(Bluetooth::Headset));
    }
}
