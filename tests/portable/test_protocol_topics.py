"""Topics and the access table under both Pythons."""

from protocol import access, topics
from protocol.errors import BadTopic

BAD_NAMES = ("", "a/b", "+", "#", "a#", "a+", "A", "a b", "-a", "a-", "\x00", "a\x00b", "вишенька")
TOO_LONG = ("a" * 41, "a" * 10000)


def refuses(function, *arguments):
    try:
        function(*arguments)
    except BadTopic:
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
