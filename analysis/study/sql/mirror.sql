-- A weight file whose very bytes lie in several repos, once for each of them. The training state
-- that trainers save beside the weights is left out, as are empty files.
-- Grain: content_id, repo_id
-- Source: repo_file, model
-- Columns:
--   content_id: sha256:… of the content, where the hub told it, else git:… with git's id of the
--     file; which of the two a hub tells may differ by repo, and then a mirror is not seen
--   repo_id: a repo that holds it, as its files were when they were last listed
--   path: where in the repo; of several places the first
--   size_bytes: its size; null where it is not known
--   repo_count: repos that hold it
--   owner_count: owners of them
--   is_there: whether this repo is not known to be gone
--   is_elsewhere: whether a repo of another owner that is there holds it, too
--   oldest_repo_id: the repo created first of those whose creation is known; of two the first by
--     name. Which repo has copied is not known; the oldest repo may have got the file last
--   is_oldest: whether that is this one; null where no creation is known
--   set_id: hash of all distinct weight files of the repo: repos of one set_id hold the same
--     weights; null where the content of any of them is not known
-- References:
--   repo_id -> model
--   repo_id, path -> repo_file
--   oldest_repo_id -> model(repo_id)
select
    held.content_id,
    held.repo_id,
    held.path,
    held.size_bytes,
    content.repo_count,
    content.owner_count,
    held.is_there,
    content.has_other_owner or content.only_owner <> held.owner_name as is_elsewhere,
    content.oldest_repo_id,
    content.oldest_repo_id = held.repo_id as is_oldest,
    repo_mirror.set_id
from held
join content using (content_id)
join repo_mirror using (repo_id)
order by held.content_id, held.repo_id
