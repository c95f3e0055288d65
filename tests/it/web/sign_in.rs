//! Getting in, staying in, and being kept out.

use deepspine::store::Role;
use ureq::http::StatusCode;

use super::{PASSWORD, TestServer};

const TEXT: [(&str, &str); 1] = [("A", "L4-L5: mild canal stenosis.")];

#[test]
fn a_link_is_good_once_and_only_for_a_password_that_will_do() {
    let mut server = TestServer::start(&TEXT);
    let store = server.archive.archive.store_mut();
    let (_, secret) = store.write(|writer| writer.add_user("anna", Role::Annotator)).unwrap();
    let path = format!("/welcome/{}", secret.reveal());
    let stranger = server.stranger();
    assert!(stranger.get(&path).done().text.contains("Welcome, anna"));
    for (password, again, told) in
        [("short", "short", "at least 15"), (PASSWORD, "four words somebody guesses", "differ")]
    {
        let form = [("password", password), ("again", again)];
        let answer = stranger.post_form(&path, &form).done();
        assert!(answer.text.contains(told), "{}", answer.text);
    }
    let form = [("password", PASSWORD), ("again", PASSWORD)];
    assert_eq!(stranger.post_form(&path, &form).location.as_deref(), Some("/"));
    assert_eq!(server.stranger().get(&path).status, StatusCode::NOT_FOUND);
    assert_eq!(server.stranger().post_form(&path, &form).status, StatusCode::NOT_FOUND);
}

#[test]
fn failed_attempts_are_throttled() {
    let mut server = TestServer::start(&TEXT);
    server.new_person("anna", Role::Annotator);
    let sign_in = |name: &str, password: &str| {
        server.stranger().post_form("/sign-in", &[("name", name), ("password", password)])
    };
    for _ in 0..5 {
        assert_eq!(sign_in("anna", "a wrong password").status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(sign_in("anna", PASSWORD).status, StatusCode::TOO_MANY_REQUESTS);
    // Whoever is not there is not told apart from a wrong password.
    assert_eq!(sign_in("nobody", PASSWORD).status, StatusCode::UNAUTHORIZED);
}

#[test]
fn a_session_outlives_the_server_and_ends_when_it_is_ended() {
    let mut server = TestServer::start(&TEXT);
    let mut anna = server.new_person("anna", Role::Annotator);
    server.restart();
    anna.base = server.base.clone();
    // Cookies go by host, not by port.
    assert_eq!(anna.get("/").status, StatusCode::OK);
    anna.post_form("/sign-out", &[]).done();
    assert_eq!(anna.get("/").location.as_deref(), Some("/sign-in"));
}

#[test]
fn a_new_password_ends_every_session() {
    let mut server = TestServer::start(&TEXT);
    let anna = server.new_person("anna", Role::Annotator);
    let elsewhere = server.stranger();
    elsewhere.post_form("/sign-in", &[("name", "anna"), ("password", PASSWORD)]).done();
    assert_eq!(elsewhere.get("/").status, StatusCode::OK);
    let wrong = [("old", "not the present one"), ("new", "another four words here")];
    assert_eq!(anna.post_form("/account/password", &wrong).status, StatusCode::BAD_REQUEST);
    let right = [("old", PASSWORD), ("new", "another four words here")];
    anna.post_form("/account/password", &right).done();
    for client in [&anna, &elsewhere] {
        assert_eq!(client.get("/").location.as_deref(), Some("/sign-in"));
    }
}
