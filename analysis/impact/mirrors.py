"""Mirrors: weight files whose very bytes lie in more than one repo."""

from __future__ import annotations

import duckdb

# What holds weights, and what trainers save beside them under the same endings.
EXTENSIONS = "('safetensors', 'gguf', 'bin', 'pt', 'pth', 'ckpt', 'h5', 'msgpack', 'onnx')"
TRAINING_STATE = (
    "regexp_matches(path, '(^|/)(training_args|optimizer|scheduler|scaler|rng_state)[^/]*$')"
)
CONTENT = "coalesce('sha256:' || lfs_sha256, 'git:' || blob_id)"
HELD = f"""
create or replace temp table held as
with weight as (
    select repo_id, {CONTENT} as content_id, min(path) as path, max(size_bytes) as size_bytes
    from main.repo_file
    where extension in {EXTENSIONS} and coalesce(size_bytes > 0, true)
        and not {TRAINING_STATE} and ({{scope}})
    group by all
)
select
    weight.repo_id,
    weight.content_id,
    weight.path,
    weight.size_bytes,
    coalesce(model.author, model.repo_id) as owner_name,
    model.created_at,
    model.gone_at is null as is_there
from weight
join {{models}} as model on model.repo_id = weight.repo_id
"""  # noqa: S608
# Of the repos that are there: one repo and one owner, and whether there is another. Most contents
# lie in one repo alone and are not counted.
CONTENTS = """
create or replace temp table content as
with shared as (
    select content_id
    from held
    where content_id is not null
    group by content_id
    having min(repo_id) <> max(repo_id)
)
select
    content_id,
    count(*) as repo_count,
    count(distinct owner_name) as owner_count,
    min(repo_id) filter (where is_there) as only_repo_id,
    coalesce(
        max(repo_id) filter (where is_there) > min(repo_id) filter (where is_there), false
    ) as has_other_repo,
    min(owner_name) filter (where is_there) as only_owner,
    coalesce(
        max(owner_name) filter (where is_there) > min(owner_name) filter (where is_there), false
    ) as has_other_owner,
    arg_min(repo_id, (created_at, repo_id)) filter (where created_at is not null)
        as oldest_repo_id
from held
where content_id in (select content_id from shared)
group by content_id
"""
REPO_MIRROR = """
create or replace temp table repo_mirror as
with unknown as (
    select distinct repo_id from held where content_id is null
),
judged as (
    select
        held.repo_id,
        held.content_id,
        coalesce(content.has_other_owner or content.only_owner <> held.owner_name, false)
            as with_other_owner,
        coalesce(content.has_other_repo or content.only_repo_id <> held.repo_id, false)
            as in_other_repo
    from held
    left join content using (content_id)
    where held.content_id is not null
),
summed as (
    select
        repo_id,
        bool_and(with_other_owner) as all_with_other_owner,
        bool_and(in_other_repo) as all_in_other_repo,
        bool_or(in_other_repo) as any_in_other_repo,
        printf('%032x', bit_xor(md5_number(content_id))) as set_id
    from judged
    group by repo_id
)
select
    repo_id,
    case
        when all_with_other_owner and unknown.repo_id is null then 'other_owner'
        when all_in_other_repo and unknown.repo_id is null then 'same_owner'
        when any_in_other_repo then 'part'
        else 'none'
    end as mirror,
    case when unknown.repo_id is null then set_id end as set_id
from summed
left join unknown using (repo_id)
"""
OF_REPOS = f"""
repo_id in (select repo_id from asked)
or lfs_sha256 in (
    select lfs_sha256 from main.repo_file where repo_id in (select repo_id from asked)
)
or blob_id in (
    select blob_id from main.repo_file
    where repo_id in (select repo_id from asked) and extension in {EXTENSIONS}
)
"""  # noqa: S608


def find_mirrors(db: duckdb.DuckDBPyConnection, *, models: str, scope: str = "true") -> None:
    """Make the temporary tables ``held``, ``content`` and ``repo_mirror``.

    ``held`` has a row for each content of weight files that a repo holds, and one for all whose
    content is not known; ``content`` one for each content that several repos hold; ``repo_mirror``
    one for each repo with a known content, with ``mirror`` as ``repo_impact`` has it.

    Parameters
    ----------
    models
        Relation with repo_id, author, created_at and gone_at of the repos.
    scope
        Which files to look at, as a condition on ``repo_file``; `OF_REPOS` are those of the repos
        of ``asked`` and all that share a content with one.
    """
    db.execute(HELD.format(models=models, scope=scope))
    db.execute(CONTENTS)
    db.execute(REPO_MIRROR)
