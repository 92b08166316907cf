//! The laboratory's page names everything there is, with the right rule.

use offhook_lab::{Fault, Scenario};

#[test]
fn the_page_lists_every_scenario_and_fault() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/lab.md");
    let page = std::fs::read_to_string(path).unwrap();
    for scenario in Scenario::ALL {
        let row = format!("| `{}` | {} |", scenario.name(), scenario.about());
        assert!(page.contains(&row), "docs/lab.md lacks {row}");
    }
    for fault in Fault::ALL {
        let rule = fault.rule().map_or_else(String::new, |number| format!("D{number:02}"));
        let row = format!("| `{}` | {rule} | {} |", fault.name(), fault.about());
        assert!(page.contains(&row), "docs/lab.md lacks {row}");
    }
    let rows = page.lines().filter(|line| line.starts_with("| `")).count();
    let members = page.split("## Scenarios").next().map_or(0, |head| head.matches("\n| `").count());
    assert_eq!(rows, members + Scenario::ALL.len() + Fault::ALL.len(), "rows of what is no more");
}
