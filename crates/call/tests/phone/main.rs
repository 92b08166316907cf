//! The phone against a scripted server and peer in plain text, in virtual time.

mod codecs;
mod control;
mod desk;
mod encryption;
mod hold;
mod incoming;
mod keypad;
mod moving;
mod outgoing;
mod random;
mod registration;
mod several;
mod stage;
mod ways;
