//! What programs may ask, as an OpenAPI document made from the table of routes.

use actix_web::HttpResponse;
use serde_json::{Map, Value, json};

use super::super::app::{Who, rows};

/// What a route does and what its body holds, for the document. A test keeps that each has a row.
const ABOUT: [(&str, &str, &str); 13] = [
    ("/api/v1/openapi.json", "This document", ""),
    (
        "/api/v1/batches",
        "The batches that you may work on, and how far you are; or a new one, whose `origin` is \
         {query}, {cohort} or {ids}, and whose `order` is random, oldest, uncertain, disagreed, \
         discrepant or widest",
        "name mode annotators origin order limit repeats seed users",
    ),
    (
        "/api/v1/batches/{batch}",
        "How far a batch is, and its reports in the order of work; `offset` in the query goes on",
        "",
    ),
    (
        "/api/v1/batches/{batch}/claim",
        "Claims the next report of a batch; `slot` is null when none is left",
        "",
    ),
    (
        "/api/v1/batches/{batch}/agreement",
        "How far its readers agree; `target` and `level` in the query narrow it",
        "",
    ),
    (
        "/api/v1/batches/{batch}/labels.{format}",
        "The labels as csv, jsonl, parquet or rsna2024; `readings` gives every reading with its provenance",
        "",
    ),
    ("/api/v1/search", "What a query finds", "query sort offset limit facets"),
    (
        "/api/v1/studies/{study}/names",
        "Calls the lowest disc so, and all others by it",
        "run lowest lumbar",
    ),
    (
        "/api/v1/slots/{slot}",
        "A report that you claimed: text, what is shown, the discs of its study, edits so far",
        "",
    ),
    (
        "/api/v1/slots/{slot}/edits",
        "Keeps edits from number `first` on; sent twice they count once",
        "first edits seconds",
    ),
    (
        "/api/v1/slots/{slot}/look",
        "Records what you see at a disc of its study's newest run; `settles` is for adjudicators",
        "run ordinal targets verdict settles",
    ),
    ("/api/v1/slots/{slot}/hold", "Keeps the report claimed for another five minutes", ""),
    (
        "/api/v1/slots/{slot}/finish",
        "Makes a reading of the edits and claims the next report",
        "seconds",
    ),
];

const ACT: &str = "/api/v1/slots/{slot}/{act}";

/// The document.
pub(in super::super) async fn document() -> HttpResponse {
    let mut paths = Map::new();
    for row in rows().iter().filter(|row| row.path.starts_with("/api/")) {
        let about = ABOUT.iter().find(|(path, ..)| *path == row.path);
        let (summary, fields) = match about {
            Some((_, summary, fields)) => (*summary, *fields),
            None => {
                debug_assert_eq!(row.path, ACT, "every route says what it does");
                (
                    "`ahead` claims the next report too, `release` lets this one go, `send-back` \
                     returns it to its annotators, `suggest` marks a phrase as misread",
                    "reason phrase note",
                )
            }
        };
        let who = match row.who {
            Who::Anyone => "anyone".to_owned(),
            Who::AtLeast(role) => role.name().to_owned(),
        };
        let mut operation = json!({
            "summary": summary,
            "description": format!("Least role: {who}."),
            "parameters": parameters(row.path),
            "responses": {
                "200": { "description": "Done" },
                "4XX": {
                    "description": "What was wrong with the request",
                    "content": { "application/json": { "schema": { "type": "object",
                        "properties": { "error": { "type": "string" } } } } },
                },
            },
        });
        if row.method == actix_web::http::Method::POST {
            operation["requestBody"] = body(fields);
        }
        if row.who != Who::Anyone {
            operation["security"] = json!([{ "token": [] }]);
        }
        let methods = paths.entry(row.path).or_insert_with(|| json!({}));
        methods[row.method.as_str().to_lowercase()] = operation;
    }
    HttpResponse::Ok().json(json!({
        "openapi": "3.1.0",
        "info": {
            "title": "deepspine",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Lumbar spine reports, their labels, and the work of labelling them.",
        },
        "paths": paths,
        "components": { "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } } },
    }))
}

fn parameters(path: &str) -> Vec<Value> {
    let names = path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    names
        .map(|name| {
            let kind = if matches!(name, "format" | "act") { "string" } else { "integer" };
            json!({ "name": name, "in": "path", "required": true, "schema": { "type": kind } })
        })
        .collect()
}

fn body(fields: &str) -> Value {
    let schema = |field: &str| match field {
        "edits" => json!({ "type": "array", "items": { "type": "object" } }),
        "targets" | "users" => json!({ "type": "array", "items": { "type": "string" } }),
        "origin" => json!({ "type": "object" }),
        "settles" => json!({ "type": "boolean" }),
        "first" | "offset" | "limit" | "annotators" | "repeats" | "seed" | "run" | "ordinal"
        | "lumbar" => json!({ "type": "integer", "minimum": 0 }),
        "seconds" => json!({ "type": "number" }),
        "facets" => json!({ "type": "boolean" }),
        _ => json!({ "type": "string" }),
    };
    let properties: Map<String, Value> =
        fields.split_whitespace().map(|field| (field.to_owned(), schema(field))).collect();
    json!({ "content": { "application/json": { "schema": {
        "type": "object", "properties": properties, "additionalProperties": false,
    } } } })
}
