//! What goes wrong while somebody writes: nothing is lost in silence.

use crate::room::{Room, until};
use crate::{Outcome, pictures, trials};
use anyhow::{Context, ensure};
use contract::Operation;
use loadgen::browser::Treatment;
use serde_json::json;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::time::Duration;

trials![
    what_is_written_while_the_server_is_down_is_kept_and_saved_when_it_is_back,
    what_is_written_while_a_save_is_slow_is_saved_after_it,
    a_server_that_is_restarted_gets_what_was_written_meanwhile,
    a_server_that_is_full_is_told_while_writing,
    a_start_without_a_free_key_says_so_and_can_be_tried_again,
    a_start_that_fails_twice_succeeds_and_one_that_fails_three_times_says_why,
    a_save_that_arrives_after_a_later_one_does_not_stay,
    a_save_whose_answer_is_lost_is_nobody_elses,
    a_checklist_that_somebody_deleted_is_told_and_saved_again,
    whatever_was_stored_is_shown_as_far_as_it_can_be_and_kept,
    a_page_that_comes_into_sight_shows_what_others_saved,
    what_is_no_document_is_not_opened,
];

async fn what_is_written_while_the_server_is_down_is_kept_and_saved_when_it_is_back() -> Outcome {
    let room = Room::new().await?;
    let ours = room.at_work("").await?;
    ensure!(!ours.said().await?.warns, "it warns though all is saved");
    room.gateway.treat(|_, _| Treatment::Cut);
    ours.write(1, "first").await?;
    let said = ours.until("unsaved").await?;
    ensure!(said.warns && said.text.contains("NOT SAVED") && said.text.contains("cannot be reached"), "{said:?}");
    ensure!(said.text.contains("keep it open") && said.text.contains("Try now"), "{said:?}");
    pictures::take(&ours.browser.page, "checklist-not-saved").await?;
    ours.write(1, " and second").await?;
    let said = ours.said().await?;
    ensure!(said.status == "unsaved" && said.warns, "it takes back that nothing is saved: {said:?}");
    room.gateway.treat(|_, _| Treatment::Pass);
    ours.until("saved").await?;
    let stored = room.server.document(&ours.key().await?).await?;
    ensure!(stored["state"]["notes"]["demo-try"] == "first and second", "{stored}");
    Ok(())
}

async fn what_is_written_while_a_save_is_slow_is_saved_after_it() -> Outcome {
    let room = Room::new().await?;
    let ours = room.at_work("").await?;
    room.gateway.treat(|call, before| {
        let is_first = before.iter().all(|earlier| earlier.operation != Operation::Save);
        let is_held = call.operation == Operation::Save && is_first;
        if is_held { Treatment::Hold(Duration::from_secs(4)) } else { Treatment::Pass }
    });
    ours.write(1, "before").await?;
    let said = ours.until("saving").await?;
    ensure!(said.warns && said.text.contains("Not saved yet"), "{said:?}");
    ours.write(1, " and after").await?;
    until("the second save is there", || async {
        let stored = room.server.document(&ours.key().await?).await?;
        Ok((stored["state"]["notes"]["demo-try"] == "before and after").then_some(()))
    })
    .await?;
    ours.until("saved").await?;
    Ok(())
}

async fn a_server_that_is_restarted_gets_what_was_written_meanwhile() -> Outcome {
    let mut room = Room::new().await?;
    let ours = room.at_work("").await?;
    ours.tick(1).await?;
    ours.until("changed").await?;
    ours.until("saved").await?;
    room.server.kill()?;
    ours.write(2, "written while it was away").await?;
    ours.until("unsaved").await?;
    room.server.start_again()?;
    ours.until("saved").await?;
    let stored = room.server.document(&ours.key().await?).await?;
    ensure!(stored["state"]["notes"]["demo-note"] == "written while it was away", "{stored}");
    ensure!(stored["state"]["statusButtons"]["demo-try"]["state"] == "completed", "{stored}");
    Ok(())
}

async fn a_server_that_is_full_is_told_while_writing() -> Outcome {
    let room = Room::new().await?;
    let ours = room.at_work("").await?;
    room.gateway.treat(|call, _| match call.operation {
        Operation::Save => Treatment::Refuse(503, "Server busy"),
        _ => Treatment::Pass,
    });
    ours.write(1, "patience").await?;
    let said = ours.until("unsaved").await?;
    ensure!(said.warns && said.text.contains("The server refused: “Server busy” (503)"), "{said:?}");
    room.gateway.treat(|_, _| Treatment::Pass);
    ours.press("Try now").await?;
    ours.until("saved").await?;
    let stored = room.server.document(&ours.key().await?).await?;
    ensure!(stored["state"]["notes"]["demo-try"] == "patience", "{stored}");
    Ok(())
}

async fn a_start_without_a_free_key_says_so_and_can_be_tried_again() -> Outcome {
    let room = Room::new().await?;
    room.gateway.treat(|call, _| match call.operation {
        Operation::GenerateKey => Treatment::Refuse(503, "Unable to generate unique key - all attempts exhausted"),
        _ => Treatment::Pass,
    });
    let ours = room.visitor("").await?;
    let said = ours.until("failed").await?;
    ensure!(!said.warns && said.text.contains("could not be opened"), "{said:?}");
    ensure!(said.text.contains("All keys are in use") && said.text.contains("tried 3 times"), "{said:?}");
    ensure!(!ours.element("#type").await?.is_displayed().await?, "one can write though nothing can be saved");
    pictures::take(&ours.browser.page, "checklist-not-opened").await?;
    room.gateway.treat(|_, _| Treatment::Pass);
    ours.press("Try again").await?;
    ours.until("saved").await?;
    Ok(())
}

async fn a_start_that_fails_twice_succeeds_and_one_that_fails_three_times_says_why() -> Outcome {
    let room = Room::new().await?;
    room.gateway.treat(|call, before| {
        let earlier = before.iter().filter(|earlier| earlier.operation == Operation::Restore).count();
        let is_refused = call.operation == Operation::Restore && earlier < 2;
        if is_refused { Treatment::Refuse(500, "Failed to read saved data") } else { Treatment::Pass }
    });
    room.visitor("").await?.until("saved").await?;
    let (asked, restored) =
        (room.gateway.calls_of(Operation::GenerateKey).len(), room.gateway.calls_of(Operation::Restore).len());
    ensure!((asked, restored) == (1, 3), "{asked} keys, {restored} restores: a key that was handed out is kept");
    room.gateway.treat(|_, _| Treatment::Refuse(500, "Saves directory not found"));
    let said = room.visitor("").await?.until("failed").await?;
    ensure!(said.text.contains("“Saves directory not found” (500)"), "{said:?}");
    Ok(())
}

/// A save without an answer may be done later, over newer work: the page looks, and saves once more.
async fn a_save_that_arrives_after_a_later_one_does_not_stay() -> Outcome {
    let room = Room::new().await?;
    let ours = room.at_work("").await?;
    let key = ours.key().await?;
    room.gateway.treat(|call, before| {
        let is_first = before.iter().all(|earlier| earlier.operation != Operation::Save);
        let is_stranded = call.operation == Operation::Save && is_first;
        if is_stranded { Treatment::Strand(Duration::from_secs(12)) } else { Treatment::Pass }
    });
    room.gateway.forget();
    ours.write(1, "older").await?;
    ours.until("unsaved").await?;
    ours.write(1, " and newer").await?;
    ours.until("saved").await?;
    until("the older save has arrived", || async {
        let stored = room.server.document(&key).await?;
        Ok((stored["state"]["notes"]["demo-try"] == "older").then_some(()))
    })
    .await?;
    until("the newer save is there again", || async {
        let stored = room.server.document(&key).await?;
        Ok((stored["state"]["notes"]["demo-try"] == "older and newer").then_some(()))
    })
    .await?;
    ours.until("saved").await?;
    Ok(())
}

async fn a_save_whose_answer_is_lost_is_nobody_elses() -> Outcome {
    let room = Room::new().await?;
    let ours = room.at_work("").await?;
    room.gateway.treat(|call, before| {
        let is_first = before.iter().all(|earlier| earlier.operation != Operation::Save);
        let is_swallowed = call.operation == Operation::Save && is_first;
        if is_swallowed { Treatment::Swallow } else { Treatment::Pass }
    });
    room.gateway.forget();
    ours.write(1, "once").await?;
    ours.until("unsaved").await?;
    ours.write(1, " more").await?;
    // Its own work is in store, and it is not told that somebody else's is.
    let said = until("it is saved, or somebody is accused", || async {
        let said = ours.said().await?;
        Ok(["saved", "newer"].contains(&said.status.as_str()).then_some(said))
    })
    .await?;
    ensure!(said.status == "saved", "{said:?}");
    Ok(())
}

async fn a_checklist_that_somebody_deleted_is_told_and_saved_again() -> Outcome {
    let room = Room::new().await?;
    let ours = room.at_work("").await?;
    let key = ours.key().await?;
    let deleted = room.server.user()?.delete(&key).await;
    ensure!(deleted.is_success(), "{}", deleted.step());
    ours.write(1, "still here").await?;
    let said = ours.until("newer").await?;
    ensure!(said.warns && said.text.contains("deleted or archived"), "{said:?}");
    ours.press("Save it again").await?;
    ours.until("saved").await?;
    let stored = room.server.document(&key).await?;
    ensure!(stored["state"]["notes"]["demo-try"] == "still here", "{stored}");
    Ok(())
}

async fn whatever_was_stored_is_shown_as_far_as_it_can_be_and_kept() -> Outcome {
    let room = Room::new().await?;
    let script = "</script><img src=x onerror=alert(1)>";
    let states = [
        json!([]),
        json!("text"),
        json!({ "notes": "none", "statusButtons": [1, 2] }),
        json!({ "notes": { "word-headings": script, "word-links": 17 }, "sidePanel": { "open": true }, "checkpointRows": [[1.5, null]] }),
    ];
    for state in states {
        let mut user = room.server.user()?;
        let key = user.generate_key().await.key_handed_out().context("a key")?;
        let text = RawValue::from_string(state.to_string())?;
        let saved = user.save(&key, "word", &BTreeMap::new(), &text).await;
        ensure!(saved.is_success(), "{state}: {}", saved.step());
        let ours = room.at_work(&format!("?={key}")).await?;
        ours.write(2, "mine").await?;
        ours.until("changed").await?;
        ours.until("saved").await?;
        let stored = room.server.document(&key).await?;
        for part in ["sidePanel", "checkpointRows"] {
            ensure!(stored["state"][part] == state[part], "{part} is lost: {stored}");
        }
        let mut notes = if state["notes"].is_object() { state["notes"].clone() } else { json!({}) };
        notes["word-images"] = json!("mine");
        ensure!(stored["state"]["notes"] == notes, "others' notes are lost, or some made up: {stored}");
        if state["notes"].is_object() {
            ensure!(ours.shown().await?[0].1 == script, "{:?}", ours.shown().await?);
            ensure!(ours.browser.run("return document.images.length;", vec![]).await? == 0, "markup came through");
        }
    }
    Ok(())
}

async fn a_page_that_comes_into_sight_shows_what_others_saved() -> Outcome {
    let room = Room::new().await?;
    let ours = room.at_work("").await?;
    let friend = room.at_work(&format!("?={}", ours.key().await?)).await?;
    friend.write(1, "from a friend").await?;
    friend.until("changed").await?;
    friend.until("saved").await?;
    ours.element("#demo-note-note").await?.click().await?;
    ours.browser.run("document.dispatchEvent(new Event('visibilitychange'));", vec![]).await?;
    until("the friend's work is shown", || async { Ok((ours.shown().await?[0].1 == "from a friend").then_some(())) })
        .await?;
    let focused = ours.browser.run("return document.activeElement.id;", vec![]).await?;
    ensure!(focused == "demo-note-note", "the focus went to {focused}");
    Ok(())
}

async fn what_is_no_document_is_not_opened() -> Outcome {
    let room = Room::new().await?;
    for content in ["[1,2]", "17", "{\"half\":"] {
        std::fs::write(room.server.saves.path().join("AAA.json"), content)?;
        let said = room.visitor("?=AAA").await?.until("failed").await?;
        let told = ["holds no document", "Invalid saved data format"];
        ensure!(told.iter().any(|told| said.text.contains(told)), "{content}: {said:?}");
        ensure!(std::fs::read_to_string(room.server.saves.path().join("AAA.json"))? == content, "it was overwritten");
    }
    Ok(())
}
