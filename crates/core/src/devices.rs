//! Sound devices: which were chosen while which others were there.
//!
//! A headset that is plugged in again is used again as it was, and what was chosen without it is not
//! forgotten meanwhile. A set of devices is known by their names.

use std::sync::Arc;

use offhook_model::{
    AudioSpec, CommandError, DeviceSet, Devices, ErrorCode, Moment, NoticeBody, Role, Settings,
};

use crate::Effect;
use crate::state::Core;

/// Sets that are remembered; the one that was seen longest ago makes room.
const SETS: usize = 16;

impl Core {
    /// The system's devices are these.
    pub(crate) fn devices_came(&mut self, devices: Devices, now: Moment) {
        if devices == *self.devices {
            return;
        }
        let (before, names) = (self.devices.names(), devices.names());
        let others = !names.is_empty() && names != before;
        self.devices = Arc::new(devices);
        if others {
            self.choose_as_before(&names);
        }
        self.notice(NoticeBody::Devices {}, now);
    }

    /// Uses what was chosen when just these devices were there. What was chosen for this run alone (by
    /// the command line) stays.
    fn choose_as_before(&mut self, names: &[String]) {
        let Some(set) = self.settings.device_sets.iter().find(|set| set.devices == names).cloned()
        else {
            return;
        };
        let in_use = [&self.devices.input, &self.devices.output, &self.devices.ringer];
        let known = specs(&self.settings);
        let wanted = [set.input, set.output, set.ringer];
        let roles = [Role::Input, Role::Output, Role::Ringer];
        let mut changed = vec![];
        for ((role, wanted), (known, in_use)) in
            roles.into_iter().zip(wanted).zip(known.iter().zip(in_use))
        {
            if wanted != *known && known == in_use {
                changed.push((role, wanted));
            }
        }
        if changed.is_empty() {
            return;
        }
        for (role, spec) in changed {
            set_spec(Arc::make_mut(&mut self.settings), role, spec.clone());
            self.out.push_back(Effect::MediaSelect(role, spec));
        }
        self.keep_settings();
        self.out.push_back(Effect::MediaDevices);
    }

    pub(crate) fn select_device(
        &mut self,
        role: Role,
        spec: AudioSpec,
    ) -> Result<(), CommandError> {
        fits(role, &spec)?;
        set_spec(Arc::make_mut(&mut self.settings), role, spec.clone());
        self.remember_devices();
        self.keep_settings();
        self.out.push_back(Effect::MediaSelect(role, spec));
        self.out.push_back(Effect::MediaDevices);
        Ok(())
    }

    /// What is chosen now is what the user wants while these devices are there.
    pub(crate) fn remember_devices(&mut self) {
        let devices = self.devices.names();
        if devices.is_empty() {
            return;
        }
        let settings = Arc::make_mut(&mut self.settings);
        let [input, output, ringer] = specs(settings);
        settings.device_sets.retain(|set| set.devices != devices);
        settings.device_sets.insert(0, DeviceSet { devices, input, output, ringer });
        settings.device_sets.truncate(SETS);
    }

    /// Tries a device, which a call has for itself.
    pub(crate) fn test_device(&mut self, role: Role) -> Result<(), CommandError> {
        if self.phone.talks() {
            return Err(CommandError::user(
                ErrorCode::NotPossible,
                "A device cannot be tried while a call goes on.",
                "Wait for the end of the call; its levels are shown meanwhile.",
            ));
        }
        self.out.push_back(Effect::MediaTest(role));
        Ok(())
    }
}

pub(crate) fn specs(settings: &Settings) -> [AudioSpec; 3] {
    [&settings.audio_input, &settings.audio_output, &settings.ringer_output].map(Clone::clone)
}

fn set_spec(settings: &mut Settings, role: Role, spec: AudioSpec) {
    *match role {
        Role::Input => &mut settings.audio_input,
        Role::Output => &mut settings.audio_output,
        Role::Ringer => &mut settings.ringer_output,
    } = spec;
}

/// Outputs cannot be read from, so tones, silence and repetition make no sense for them.
pub(crate) fn fits(role: Role, spec: &AudioSpec) -> Result<(), CommandError> {
    let fits = match (role, spec) {
        (Role::Input, _) => true,
        (Role::Output | Role::Ringer, AudioSpec::File { repeat, .. }) => !repeat,
        (Role::Output | Role::Ringer, AudioSpec::Tone(_) | AudioSpec::Silence) => false,
        (
            Role::Output | Role::Ringer,
            AudioSpec::Default | AudioSpec::Device(_) | AudioSpec::Null,
        ) => true,
    };
    if fits {
        return Ok(());
    }
    Err(CommandError::user(
        ErrorCode::InvalidParams,
        format!("{spec} is no output."),
        "Use default, device:NAME, file:PATH.wav or null.",
    ))
}
