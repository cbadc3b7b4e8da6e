"""Topics and the access table under both Pythons."""

from protocol import access, topics
from protocol.errors import BadTopic

BAD_NAMES = ("", "a/b", "+", "#", "a#", "a+", "A", "a b", "-a", "a-", "\x00", "a\x00b", "вишенька")
TOO_LONG = ("a" * 41, "a" * 10000)


def refuses(function, *arguments, error=BadTopic):
    try:
        function(*arguments)
    except error:
        return True
    return False


def test_every_topic_parses_back_to_what_it_was_built_from():
    for kind in topics.DESK_KINDS:
        assert topics.parse(topics.desk("vyshenka-07", kind)) == ("desk", "vyshenka-07", kind)
    for kind in topics.QUEUE_KINDS:
        assert topics.parse(topics.queue("vyshenka", kind)) == ("queue", "vyshenka", kind)


def test_names_that_could_leave_their_level_are_refused():
    for name in BAD_NAMES + TOO_LONG:
        assert refuses(topics.desk, name, "vote"), name
        assert refuses(topics.queue, name, "event"), name
        assert refuses(topics.parse, "zrazkovo/1/desk/%s/vote" % name), name


def test_topics_of_others_are_refused():
    for topic in (
        "",
        "zrazkovo",
        "zrazkovo/2/desk/a/vote",
        "zrazkovo/1/desk/a",
        "zrazkovo/1/desk/a/vote/x",
        "zrazkovo/1/queue/a/vote",
        "zrazkovo/1/desk/a/event",
        "$SYS/x",
        "zrazkovo/1/desk/+/vote",
    ):
        assert refuses(topics.parse, topic), topic


def test_a_pad_stays_in_its_own_room():
    own, other = topics.desk("zamostia-01", "vote"), topics.desk("zamostia-02", "vote")
    assert access.may("zamostia-01", access.WRITE, own)
    assert not access.may("zamostia-01", access.WRITE, other)
    assert not access.may("zamostia-01", access.READ, own)
    assert not access.may("zamostia-01", access.WRITE, topics.desk("zamostia-01", "ack"))
    for greedy in ("#", "zrazkovo/#", topics.every_desk("call"), "zrazkovo/1/desk/zamostia-01/#"):
        assert not access.may("zamostia-01", access.READ, greedy), greedy


def test_only_the_feed_opens_calls_and_only_the_collector_acknowledges():
    call, ack = topics.desk("a", "call"), topics.desk("a", "ack")
    assert access.may("feed", access.WRITE, call) and not access.may("collector", access.WRITE, call)
    assert access.may("collector", access.WRITE, ack) and not access.may("feed", access.WRITE, ack)
    assert access.may("collector", access.READ, topics.every_desk("vote"))
    assert not access.may("collector", access.READ, "#")


def test_the_mosquitto_file_says_the_same_as_the_table():
    text = access.mosquitto_acl()
    assert "pattern write zrazkovo/1/desk/%u/vote" in text
    assert "user feed\ntopic write zrazkovo/1/desk/+/call" in text
    assert "#" not in text.split("\n", 1)[1]


BRANCHES = {"centre": ("centre-1", "centre-2"), "zamostia": ("zamostia-1",)}


def test_a_branch_s_feed_reaches_that_branch_only():
    own, other = topics.desk("centre-2", "call"), topics.desk("zamostia-1", "call")
    assert access.may("feed-centre", access.WRITE, own, BRANCHES)
    assert access.may("feed-centre", access.WRITE, topics.queue("centre", "event"), BRANCHES)
    assert access.may("feed-centre", access.READ, topics.queue("centre", "ack"), BRANCHES)
    assert not access.may("feed-centre", access.WRITE, other, BRANCHES)
    assert not access.may("feed-centre", access.WRITE, topics.queue("zamostia", "event"), BRANCHES)
    assert not access.may("feed-centre", access.READ, topics.every_queue("ack"), BRANCHES)
    assert not access.may("feed-centre", access.WRITE, topics.desk("centre-1", "vote"), BRANCHES)
    assert not access.may("feed-centre", access.WRITE, own), "without the register nobody knows whose desk that is"
    assert not access.may("feed-unknown", access.WRITE, own, BRANCHES)


def test_a_bridge_writes_and_reads_for_its_branch_what_pads_and_feed_do():
    for user, topic in (
        ("centre-1", topics.desk("centre-1", "vote")),
        ("feed-centre", topics.queue("centre", "event")),
    ):
        assert access.may(user, access.WRITE, topic, BRANCHES)
        assert access.may("bridge-centre", access.WRITE, topic, BRANCHES)
    assert access.may("bridge-centre", access.READ, topics.desk("centre-1", "ack"), BRANCHES)
    assert not access.may("bridge-centre", access.WRITE, topics.desk("centre-1", "ack"), BRANCHES)
    assert not access.may("bridge-centre", access.READ, topics.desk("zamostia-1", "command"), BRANCHES)
    assert not access.may("bridge-centre", access.READ, "#", BRANCHES)
    pad = {kind for action, kind in access.PAD_RULES if action == access.READ}
    down = {kind for kind in pad if access.may("bridge-centre", access.READ, topics.desk("centre-1", kind), BRANCHES)}
    assert down == pad - {"call"}, "calls are made at the branch"


def test_a_bridge_writes_for_everybody_who_is_at_its_branch():
    desk, queue = topics.ROOT + "/desk/centre-1/", topics.ROOT + "/queue/centre/"
    written = [desk + kind for action, kind in access.PAD_RULES if action == access.WRITE]
    written += [queue + kind for kind in topics.QUEUE_KINDS if access.may("feed", access.WRITE, queue + kind)]
    for topic in written:
        assert access.may("bridge-centre", access.WRITE, topic, BRANCHES), topic


def test_several_collectors_have_names_of_their_own():
    for user in access.COLLECTORS:
        assert access.may(user, access.READ, topics.every_desk("vote"))
        assert access.is_reserved(user)
    assert not access.may("collector-9", access.READ, topics.every_desk("vote"))


def test_no_desk_may_bear_a_server_s_name():
    for name in ("collector", "collector-1", "feed", "feed-centre", "bridge-centre", "it"):
        assert access.is_reserved(name), name
    for name in ("centre-1", "feeding", "it-1", "bridge", "collectors-1"):
        assert not access.is_reserved(name), name
    assert refuses(access.branch_user, "it", "centre", error=ValueError)


def test_the_mosquitto_file_names_a_branch_s_desks_one_by_one():
    text = access.mosquitto_acl(BRANCHES)
    sections = {part.split("\n", 1)[0]: part.split("\n") for part in text.split("user ")[1:]}
    assert "topic write zrazkovo/1/desk/centre-2/call" in sections["feed-centre"]
    assert "topic read zrazkovo/1/desk/zamostia-1/ack" in sections["bridge-zamostia"]
    assert "topic read zrazkovo/1/desk/+/vote" in sections["collector-2"]
    for user in ("feed-centre", "bridge-centre"):
        assert not [line for line in sections[user] if "zamostia" in line or (line[:5] == "topic" and "+" in line)]
