"""How a repo is lost to those that need it; the relation ``lost_base`` says what each way is."""

from __future__ import annotations

# Of ``look``, what was known of the repo then, and ``model``, what is now; the worst comes first.
LOSS = """
case
    when not {look}.known then 'ghost'
    when {is_disabled} then 'disabled'
    when {look}.gone_at is not null and coalesce(model.gone_reason, 'gone') <> 'gated'
        then coalesce(model.gone_reason, 'gone')
    when {look}.gone_at is not null or {look}.gated <> 'false' then 'gated'
end"""
DISABLED = "coalesce(model.is_disabled, false)"
# Looks of the past do not tell it; what a probe had found is in gone_at.
NOT_TOLD = "false"
