//! The page as a person uses it: by keyboard, by ear, in their own time.

use crate::room::Room;
use crate::{Outcome, trials};
use anyhow::ensure;
use fantoccini::key::Key;
use serde_json::{Value, json};

trials![
    work_is_saved_two_seconds_after_its_last_change_and_not_before,
    everything_is_done_by_keyboard_and_the_focus_stays,
    whether_work_is_safe_is_said_aloud,
    the_link_is_copied,
];

/// Notes each change and each call with its time, in the page itself.
const NOTED: &str = "window.noted = [];
    const note = (what) => window.noted.push([what, performance.now()]);
    document.addEventListener('input', () => note('change'), true);
    const call = window.fetch;
    window.fetch = (url, options) => { note(String(url)); return call(url, options); };";

/// Each change starts the two seconds anew. What is certain on any machine: no save comes sooner than that after the
/// last change before it.
async fn work_is_saved_two_seconds_after_its_last_change_and_not_before() -> Outcome {
    let room = Room::new().await?;
    let ours = room.browser().await?;
    ours.browser.give(NOTED).await?;
    ours.browser.visit(&room.gateway.url("/")).await?;
    ours.until("saved").await?;
    for word in ["one ", "two ", "three"] {
        ours.write(1, word).await?;
    }
    ours.until("changed").await?;
    ours.until("saved").await?;
    let noted: Vec<(String, f64)> = serde_json::from_value(ours.browser.run("return window.noted;", vec![]).await?)?;
    let saves: Vec<usize> = (0..noted.len()).filter(|&at| noted[at].0.contains("save.php")).collect();
    ensure!(!saves.is_empty(), "{noted:?}");
    for at in saves {
        let last_change = noted[..at].iter().rev().find(|(what, _)| what == "change");
        let (_, changed_ms) = last_change.ok_or_else(|| anyhow::anyhow!("saved without a change: {noted:?}"))?;
        ensure!(noted[at].1 - changed_ms >= 1_999.0, "saved too soon: {noted:?}");
    }
    let stored = room.server.document(&ours.key().await?).await?;
    ensure!(stored["state"]["notes"]["demo-try"] == "one two three", "{stored}");
    Ok(())
}

async fn everything_is_done_by_keyboard_and_the_focus_stays() -> Outcome {
    let room = Room::new().await?;
    let ours = room.at_work("").await?;
    let active = "return document.activeElement.id || document.activeElement.textContent.trim();";
    let mut reached = Vec::new();
    for _ in 0..12 {
        ours.element("body").await?;
        let element = ours.browser.page.active_element().await?;
        element.send_keys(&Key::Tab).await?;
        reached.push(ours.browser.run(active, vec![]).await?);
        if reached.last() == Some(&json!("demo-try")) {
            ours.browser.page.active_element().await?.send_keys(" ").await?;
        }
        if reached.last() == Some(&json!("demo-note-note")) {
            ours.browser.page.active_element().await?.send_keys("by keyboard").await?;
            ours.until("changed").await?;
            ours.until("saved").await?;
            let stays = ours.browser.run(active, vec![]).await?;
            ensure!(stays == "demo-note-note", "the focus went to {stays}");
        }
    }
    for control in ["type", "demo-try", "demo-try-note", "demo-link-note", "link", "copy", "Start a new one"] {
        ensure!(reached.contains(&json!(control)), "{control} is not reached, but {reached:?}");
    }
    let shown = ours.shown().await?;
    ensure!(shown[0].0 && shown[1].1 == "by keyboard", "{shown:?}");
    let stored = room.server.document(&ours.key().await?).await?;
    ensure!(stored["state"]["statusButtons"]["demo-try"]["state"] == "completed", "{stored}");
    Ok(())
}

async fn whether_work_is_safe_is_said_aloud() -> Outcome {
    let room = Room::new().await?;
    let ours = room.at_work("").await?;
    let heard = "return ['announcement', 'alarm'].map((id) => document.getElementById(id).textContent);";
    let roles = "return ['announcement', 'alarm'].map((id) => document.getElementById(id).getAttribute('role'));";
    ensure!(ours.browser.run(roles, vec![]).await? == json!(["status", "alert"]));
    ensure!(ours.browser.run(heard, vec![]).await? == json!(["Saved.", ""]));
    room.gateway.treat(|_, _| loadgen::browser::Treatment::Refuse(500, "Failed to write file"));
    ours.write(1, "unsafe").await?;
    ours.until("unsaved").await?;
    let alarm = ours.browser.run(heard, vec![]).await?;
    ensure!(alarm[0] == "" && alarm[1].as_str().is_some_and(|text| text.contains("NOT SAVED")), "{alarm}");
    room.gateway.treat(|_, _| loadgen::browser::Treatment::Pass);
    ours.until("saved").await?;
    ensure!(ours.browser.run(heard, vec![]).await? == json!(["Saved.", ""]));
    Ok(())
}

async fn the_link_is_copied() -> Outcome {
    let room = Room::new().await?;
    let ours = room.at_work("").await?;
    let permissions = json!({ "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"] });
    ours.browser.tell("Browser.grantPermissions", permissions).await?;
    ours.press("Copy link").await?;
    crate::room::until("the link is copied", || async {
        let told = ours.element("#copied").await?.text().await?;
        Ok((told == "Link copied.").then_some(()))
    })
    .await?;
    let link = room.gateway.url(&format!("/?={}", ours.key().await?));
    ensure!(ours.browser.run("return document.getElementById('link').value;", vec![]).await? == Value::from(link));
    Ok(())
}
