"""The models: CAF 2020 and a level II certification, and what of them our data support; the rest is said, too.

Titles of sub-criteria are those that the domain study saw, the others are from knowledge (domain study 3.1). The scheme
of certification is the one of study 1.2; ratings are none of its inputs, they only support its action plans.
"""

from dataclasses import dataclass
from typing import Literal

from api.i18n import Language


@dataclass(frozen=True)
class Item:
    """``is_result``: judged on the results panel, so that a band may be suggested from the ``tested`` measures."""

    id: str
    title: str
    strength: Literal["strong", "medium", "weak"]
    supports: str
    lacks: str
    measures: tuple[str, ...]
    tested: tuple[str, ...] = ()
    is_result: bool = False


@dataclass(frozen=True)
class Without:
    id: str
    title: str
    reason: str


@dataclass(frozen=True)
class Model:
    name: str
    items: tuple[Item, ...]
    without: tuple[Without, ...]
    notes: tuple[str, ...]


def caf(language: Language) -> Model:
    """CAF 2020, 28 sub-criteria."""
    _ = language.gettext
    return Model(
        "CAF 2020",
        (*_results(language), *_enablers(language)),
        _without(language),
        (
            _("No score is given here. Assessors give scores of their own, with reasons, before they look at a band."),
            _(
                "A band is suggested for results only, and is capped by what is known; 91 to 100 needs comparisons "
                "that are not here."
            ),
            _(
                "Another office’s figures are comparable only with the same definition, scale, way of asking and "
                "response rate."
            ),
        ),
    )


def _results(language: Language) -> tuple[Item, ...]:
    _ = language.gettext
    return (
        Item(
            "6.1",
            _("Citizen/customer-oriented results: perception"),
            "strong",
            _(
                "How clients found the service at the desk, by period, with response rate and intervals; by branch "
                "and service in the reports."
            ),
            _(
                "Accessibility, information, transparency, trust, involvement: a button has no dimensions, so these "
                "need surveys."
            ),
            ("exemplary", "bad", "good", "response"),
            ("exemplary",),
            True,
        ),
        Item(
            "6.2",
            _("Citizen/customer-oriented results: performance"),
            "medium",
            _(
                "Time of service, requests for information answered in time, whether clients could rate, availability "
                "of results as open data."
            ),
            _("Waiting before the call, complaints and their handling, errors, service standards: not in this system."),
            ("requests", "lit", "handling", "editions"),
            ("requests",),
            True,
        ),
        Item(
            "9.1",
            _("Key performance results: external results"),
            "medium",
            _("How many clients were served, by service."),
            _("Outcomes, agreements with authorities, inspections, benchmarking."),
            ("served",),
            (),
            True,
        ),
        Item(
            "9.2",
            _("Key performance results: internal results, level of efficiency"),
            "weak",
            _("Seconds of service a case, by service."),
            _("Costs, use of working time, budgets: not in this system."),
            ("handling",),
            (),
            True,
        ),
    )


def _enablers(language: Language) -> tuple[Item, ...]:
    _ = language.gettext
    return (
        Item(
            "1.2",
            _("Manage the organisation, its performance and its continuous improvement"),
            "medium",
            _("That targets were set before their periods, and that results were reported every month."),
            _("Whether leaders decided anything from them."),
            ("targets", "reports"),
        ),
        Item(
            "1.3",
            _("Inspire, motivate and support people in the organisation and act as a role model"),
            "weak",
            _("That results come to the heads of branches every month."),
            _("How leaders behave: this needs an employee survey."),
            ("reports",),
        ),
        Item(
            "4.2",
            _("Collaborate with citizens and civil society organisations"),
            "medium",
            _(
                "That opinions are sought at every call, that results are published, and that requests are answered "
                "in time."
            ),
            _("Suggestions, surveys and joint work with citizens."),
            ("response", "editions", "requests"),
        ),
        Item(
            "4.4",
            _("Manage information and knowledge"),
            "weak",
            _("That figures are published with their method, in open formats."),
            _("Knowledge inside the office, its protection and its loss."),
            ("editions",),
        ),
    )


def _without(language: Language) -> tuple[Without, ...]:
    _ = language.gettext
    documents = _("Documents of the office; nothing of it is in these data.")
    survey = _("An employee survey. Clients’ votes must not be used as results about people.")
    planning = _("Ratings may be an input, but the plans themselves are documents of the office.")
    return (
        Without("1.1", _("Mission, vision and values"), documents),
        Without("1.4", _("Relations with political authorities and other stakeholders"), documents),
        Without("2.1", _("Needs and expectations of stakeholders"), planning),
        Without("2.2", _("Strategies and plans based on gathered information"), planning),
        Without("2.3", _("Communicate, implement and review strategies and plans"), planning),
        Without("2.4", _("Manage change and innovation"), documents),
        Without("3.1", _("Manage and improve human resources"), documents),
        Without("3.2", _("Develop and manage competencies of people"), documents),
        Without("3.3", _("Involve and empower people"), survey),
        Without("4.1", _("Partnerships with relevant organisations"), documents),
        Without("4.3", _("Manage finances"), documents),
        Without("4.5", _("Manage technology"), _("That the pads work is measured; how technology is managed is not.")),
        Without("4.6", _("Manage facilities"), documents),
        Without(
            "5.1",
            _("Design and manage processes"),
            _("Needs service standards made with clients, and changes with their effect."),
        ),
        Without(
            "5.2",
            _("Deliver products and services"),
            _("Needs service standards made with clients, and changes with their effect."),
        ),
        Without("5.3", _("Coordinate processes across organisations"), documents),
        Without("7.1", _("People results: perception"), survey),
        Without("7.2", _("People results: performance"), survey),
        Without("8.1", _("Social responsibility results: perception"), _("A survey of citizens.")),
        Without("8.2", _("Social responsibility results: performance"), documents),
    )


def certification(language: Language) -> Model:
    """A level II scheme as in the domain study 1.2; its counts and pass marks are not known here and not made up."""
    _ = language.gettext
    return Model(
        "ČSKS II",
        (
            Item(
                "plan-1",
                _("The action plan of level I is evaluated"),
                "medium",
                _("Whether ratings and times of service moved while the plan was carried out."),
                _("The plan itself, and whether a move was its effect: other things changed, too."),
                ("exemplary", "bad", "response", "handling"),
            ),
            Item(
                "plan-2",
                _("The new action plan answers the findings"),
                "medium",
                _(
                    "Where the plan should begin: what clients at the desks say, by branch and service in the "
                    "reports; targets set beforehand."
                ),
                _("Findings of the surveys and of mystery shopping: they come from the certification body."),
                ("exemplary", "bad", "targets"),
            ),
            Item(
                "improve",
                _("Continuous improvement after the certificate"),
                "medium",
                _("That results are looked at every month, and against targets."),
                _("Decisions and measures: they belong to the action plan."),
                ("reports", "targets", "exemplary", "bad"),
            ),
        ),
        (
            Without("level-1", _("A valid certificate of level I"), _("A document.")),
            Without("trainer", _("A trained quality trainer"), _("A document.")),
            Without("dossier", _("The dossier: application, vision, team commitment, process form"), _("Documents.")),
            Without(
                "surveys",
                _("Surveys of customers and employees"),
                _("The body’s own questionnaires. Ratings at the desk must not be handed in for them."),
            ),
            Without("mystery", _("Mystery shopping"), _("Done by the certification body.")),
        ),
        (
            _("Ratings are no input of this scheme: they support the action plan and show its effect, no more."),
            _("The scheme’s numbers of questionnaires and pass marks are not known to this program."),
        ),
    )
