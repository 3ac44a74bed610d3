-- One stored answer of the hub and where it came from: what was asked, when, by which run, and what
-- came. Bodies stay in the raw files.
-- An answer about a private repo that no listing held before is left out.
-- Grain: raw_file, position
-- Source: all raw files but those that tell of runs, sweeps and samples
-- Kind: view
-- Columns:
--   raw_file: file under HOME/raw that holds the answer, body and all
--   position: its line in that file; 0 is the first
--   facet: what was asked: model is a page of a listing, probe whether a vanished repo is still
--     there, else a facet of one repo (card, commits, tree, …)
--   repo_id: repo that was asked about, by its name then; null for a page of a listing
--   revision: revision that was asked for: a commit sha, or main; null for a page of a listing
--   page: number of the page within one answer of several; 0 is the first
--   path: file in the repo that was asked for; null where a facet is no file
--   url: address that was asked
--   final_url: address that answered, where redirects led elsewhere; null where none did; without
--     its query where it is on another host
--   endpoint: address of the hub
--   status: HTTP status; null where none came
--   failure: what was wrong with the answer, out of the crawler's closed list (gone, access,
--     transient, …); null where it is what was asked for
--   error_code: the hub's X-Error-Code; null where it gave none
--   etag: the hub's ETag; null where it gave none
--   repo_commit: the hub's X-Repo-Commit: the commit sha that the answer is of; null where it gave
--     none
--   fetched_at: UTC time of the answer
--   run_id: run of the crawler that asked
--   sweep_id: pass over the listing that asked; null but for listings and probes
--   body_sha256: SHA-256 of the body's bytes, in hex
--   client: program and version that asked
--   query_file: whether the Hub counts this request as a download of the model
-- References:
--   run_id -> crawl_run: dangles while the run goes on, and until a later one tells of it
--   sweep_id -> sweep: dangles until the pass has ended
--   repo_id -> model: dangles where the repo has another name now (see alias) or was never listed
select
    raw_file,
    position,
    facet,
    repo_id,
    revision,
    page,
    path,
    coalesce(
        url,
        replace(
            replace(
                replace(
                    replace(url_shape, '{endpoint}', coalesce(endpoint, '')),
                    '{repo_id}', coalesce(repo_id, '')
                ),
                '{revision}', coalesce(revision, '')
            ),
            '{path}', coalesce(path, '')
        )
    ) as url,
    final_url,
    endpoint,
    status,
    failure,
    error_code,
    etag,
    repo_commit,
    fetched_at,
    run_id,
    sweep_id,
    body_sha256,
    client,
    coalesce(query_file, false) as query_file
from landing.answer
where repo_id is null or repo_id not in (select repo_id from landing.withheld_repo)
