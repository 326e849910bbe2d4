"""Every settings screen. A new one is its own folder, a line here and a link in `layout.py`."""

from clinic_chat.ui.settings.audit_trail import page as audit_trail
from clinic_chat.ui.settings.audit_trail.state import AuditTrail
from clinic_chat.ui.settings.clinic import page as clinic
from clinic_chat.ui.settings.clinic.hours_state import BusinessHours
from clinic_chat.ui.settings.clinic.retention_state import Retention
from clinic_chat.ui.settings.clinic.state import ClinicForm
from clinic_chat.ui.settings.own_account import page as own_account
from clinic_chat.ui.settings.own_account.state import OwnAccount
from clinic_chat.ui.settings.single_sign_on import page as single_sign_on
from clinic_chat.ui.settings.single_sign_on.state import SingleSignOn
from clinic_chat.ui.settings.staff import page as staff
from clinic_chat.ui.settings.staff.state import StaffSettings
from clinic_chat.ui.settings.tokens import page as tokens
from clinic_chat.ui.settings.tokens.state import TokenSettings
from clinic_chat.ui.settings.webhooks import page as webhooks
from clinic_chat.ui.settings.webhooks.state import WebhookSettings

SETTINGS_PAGES = (
    (own_account.own_account_page, own_account.ROUTE, own_account.ON_LOAD),
    (staff.staff_page, staff.ROUTE, staff.ON_LOAD),
    (clinic.clinic_page, clinic.ROUTE, clinic.ON_LOAD),
    (single_sign_on.single_sign_on_page, single_sign_on.ROUTE, single_sign_on.ON_LOAD),
    (tokens.tokens_page, tokens.ROUTE, tokens.ON_LOAD),
    (webhooks.webhooks_page, webhooks.ROUTE, webhooks.ON_LOAD),
    (audit_trail.audit_trail_page, audit_trail.ROUTE, audit_trail.ON_LOAD),
)
SETTINGS_STATES = (
    OwnAccount,
    StaffSettings,
    ClinicForm,
    BusinessHours,
    Retention,
    SingleSignOn,
    TokenSettings,
    WebhookSettings,
    AuditTrail,
)
