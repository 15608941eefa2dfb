//! The specification's integration tests, with real browsers and tabs.

use crate::room::{Checklist, Room};
use crate::{Outcome, pictures, trials};
use anyhow::ensure;
use contract::Operation;
use loadgen::reference::Protocol;
use serde_json::json;
use std::collections::BTreeSet;

trials![
    a_key_a_document_several_saves_and_all_of_it_is_there_again,
    the_documented_protocol_serves_the_page_as_well,
    ten_browsers_at_once_get_ten_keys_and_all_is_saved,
    of_two_tabs_on_one_session_the_last_to_save_wins_knowingly,
];

/// Scenario 1.
async fn a_key_a_document_several_saves_and_all_of_it_is_there_again() -> Outcome {
    goes_through_a_normal_flow(&Room::new().await?).await
}

async fn the_documented_protocol_serves_the_page_as_well() -> Outcome {
    goes_through_a_normal_flow(&Room::of(Protocol::Documented).await?).await
}

async fn goes_through_a_normal_flow(room: &Room) -> Outcome {
    let ours = room.at_work("").await?;
    let key = ours.key().await?;
    let address = ours.browser.page.current_url().await?;
    ensure!(address.query() == Some(&format!("={key}")), "the address is {address}");
    ours.element("#type option[value=word], #type option:nth-child(2)").await?.click().await?;
    ours.tick(1).await?;
    ours.until("changed").await?;
    ours.until("saved").await?;
    ours.write(2, "see page 7").await?;
    ours.until("changed").await?;
    let said = ours.until("saved").await?;
    ensure!(said.text.contains("Saved") && !said.warns, "{said:?}");
    pictures::take(&ours.browser.page, "checklist-saved").await?;

    let stored = room.server.document(&key).await?;
    ensure!(stored["typeSlug"] == "word" && stored["sessionKey"] == json!(key), "{stored}");
    ensure!(stored["state"]["statusButtons"]["word-headings"]["state"] == "completed", "{stored}");
    ensure!(stored["state"]["notes"]["word-images"] == "see page 7", "{stored}");

    let shown = ours.shown().await?;
    ours.browser.page.refresh().await?;
    ours.until("saved").await?;
    let friend = room.at_work(&format!("?session={key}")).await?;
    for visitor in [&ours, &friend] {
        ensure!(visitor.shown().await? == shown, "{:?} in place of {shown:?}", visitor.shown().await?);
    }
    ensure!(shown[0] == (true, String::new()) && shown[1] == (false, "see page 7".to_owned()), "{shown:?}");
    Ok(())
}

/// Scenario 2.
async fn ten_browsers_at_once_get_ten_keys_and_all_is_saved() -> Outcome {
    let room = Room::new().await?;
    let mut visitors: Vec<Checklist> = Vec::new();
    for _ in 0..10 {
        visitors.push(room.browser().await?);
    }
    let page = room.gateway.url("/");
    futures_util::future::try_join_all(visitors.iter().map(|visitor| visitor.browser.visit(&page))).await?;
    let works = visitors.iter().enumerate().map(|(number, visitor)| async move {
        visitor.until("saved").await?;
        visitor.write(1, &format!("work of visitor {number}")).await?;
        visitor.until("changed").await?;
        visitor.until("saved").await?;
        visitor.key().await
    });
    let keys: Vec<String> = futures_util::future::try_join_all(works).await?;
    let distinct: BTreeSet<&String> = keys.iter().collect();
    ensure!(distinct.len() == keys.len(), "{keys:?}");
    for (number, key) in keys.iter().enumerate() {
        let stored = room.server.document(key).await?;
        ensure!(stored["state"]["notes"]["demo-try"] == json!(format!("work of visitor {number}")), "{key}: {stored}");
    }
    Ok(())
}

/// A tab that comes into sight looks for what others have saved: this one is to learn of it when it saves.
const UNSEEN: &str = "window.addEventListener('visibilitychange', (event) => event.stopImmediatePropagation(), true);";

/// Scenario 3: whoever would overwrite newer work is told, and decides.
async fn of_two_tabs_on_one_session_the_last_to_save_wins_knowingly() -> Outcome {
    let room = Room::new().await?;
    let tabs = room.at_work("").await?;
    let page = &tabs.browser.page;
    let (key, first) = (tabs.key().await?, page.window().await?);
    tabs.browser.run(UNSEEN, vec![]).await?;
    let second = page.new_window(true).await?.handle;
    page.switch_to_window(second.clone()).await?;
    tabs.browser.visit(&room.gateway.url(&format!("/?={key}"))).await?;
    tabs.until("saved").await?;
    tabs.browser.run(UNSEEN, vec![]).await?;

    page.switch_to_window(first.clone()).await?;
    tabs.write(1, "from the first tab").await?;
    tabs.until("changed").await?;
    tabs.until("saved").await?;

    page.switch_to_window(second).await?;
    room.gateway.forget();
    tabs.write(2, "from the second tab").await?;
    let said = tabs.until("newer").await?;
    ensure!(said.warns && said.text.contains("NOT SAVED") && said.text.contains("other work"), "{said:?}");
    pictures::take(page, "checklist-newer").await?;
    ensure!(room.gateway.calls_of(Operation::Save).is_empty(), "it saved over the other's work");
    tabs.press("Keep mine, drop theirs").await?;
    tabs.until("saved").await?;
    let stored = room.server.document(&key).await?;
    ensure!(stored["state"]["notes"] == json!({ "demo-note": "from the second tab" }), "{stored}");

    page.switch_to_window(first).await?;
    tabs.tick(1).await?;
    tabs.until("newer").await?;
    tabs.press("Take theirs, drop mine").await?;
    tabs.until("saved").await?;
    ensure!(tabs.shown().await?[1].1 == "from the second tab", "{:?}", tabs.shown().await?);
    ensure!(room.server.document(&key).await? == stored, "taking theirs has changed what is stored");
    Ok(())
}
