"""What a security scan would say of files, by their names alone."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

PICKLES = frozenset({".bin", ".ckpt", ".dill", ".joblib", ".pickle", ".pkl", ".pt", ".pth"})
SAFE = "safe"
SUSPICIOUS = "suspicious"


def repo_status(record: dict[str, Any]) -> dict[str, Any]:
    """A record's stored ``securityRepoStatus``, or one that suspects every pickle."""
    if "securityRepoStatus" in record:
        stored: dict[str, Any] = record["securityRepoStatus"]
        return stored
    paths = sorted(str(one["rfilename"]) for one in record.get("siblings") or [])
    issues = [{"path": path, "level": SUSPICIOUS} for path in paths if _is_pickle(path)]
    return {"scansDone": True, "filesWithIssues": issues}


def file_status(record: dict[str, Any], path: str) -> dict[str, Any]:
    """``securityFileStatus`` of one file; no scanner's report stands behind it."""
    stored = record.get("securityRepoStatus")
    if stored is None:
        status = SUSPICIOUS if _is_pickle(path) else SAFE
    else:
        levels = {one["path"]: one["level"] for one in stored["filesWithIssues"]}
        status = levels.get(path, SAFE)
    return {"status": status, "avScan": None, "pickleImportScan": None}


def _is_pickle(path: str) -> bool:
    return PurePosixPath(path).suffix in PICKLES
