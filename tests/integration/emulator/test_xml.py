"""XMLDocument2 and its nodes on the emulated instance."""

from __future__ import annotations

import json

import pytest

from emulator.servicenow import Instance, ScriptError

DOCUMENT = """
    var d = new XMLDocument2();
    d.parseXML('<results error="&quot;no&quot;"><result><output>a &amp; b &lt; \\u00e9</output></result>' +
        '<list><item id="1">x</item><item id="2">y</item><item>z</item></list><raw><![CDATA[<&]]></raw></results>');
"""

DOCUMENT_METHODS = {
    "parseXML", "getNode", "getFirstNode", "getNextNode", "getNodeText", "getDocumentElement", "createElement",
    "createElementWithTextValue", "setCurrentElement", "setNamespaceAware", "setEnableCDATAReporting", "toString",
}  # fmt: skip
NODE_METHODS = {
    "getAttribute", "getAttributes", "hasAttribute", "getNodeName", "getNodeValue", "getTextContent", "getFirstChild",
    "getLastChild", "getChildNodeIterator", "isCDATANode", "toString",
}  # fmt: skip


def methods(instance: Instance, expression: str) -> set[str]:
    source = f"""{DOCUMENT}
        var names = [];
        for (var name in {expression}) {{ if (name.charAt(0) !== '_' && name !== 'constructor') {{ names.push(name); }} }}
        JSON.stringify(names);
    """
    return set(json.loads(instance.script(source, scope="x_one")))


def test_the_documented_methods_and_no_others(instance: Instance) -> None:
    assert methods(instance, "d") == DOCUMENT_METHODS
    assert methods(instance, "d.getDocumentElement()") == NODE_METHODS


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("d.getNodeText('//output')", "a & b < é"),
        ("d.getNodeText('/results/result/output')", "a & b < é"),
        ("d.getNodeText('//missing')", None),
        ("d.getNode('//missing')", None),
        ("d.getNode('/results').getAttribute('error')", '"no"'),
        ("d.getNode('/results').getAttribute('other')", None),
        ("d.getNode('/results').hasAttribute('error')", True),
        ("d.getNode('/results').getAttributes().error", '"no"'),
        ("d.getDocumentElement().getNodeName()", "results"),
        ("d.getFirstNode('//item').getTextContent()", "x"),
        ("d.getFirstNode('//item[@id=\"2\"]').getTextContent()", "y"),
        ("d.getFirstNode('//item[.=\"z\"]').getTextContent()", "z"),
        ("var f = d.getFirstNode('//item'); d.getNextNode(f).getTextContent()", "y"),
        ("var l = d.getFirstNode('//item[@id=\"2\"]'); d.getNextNode(l)", None),
        ("d.getNode('//list').getFirstChild().getTextContent()", "x"),
        ("d.getNode('//list').getLastChild().getTextContent()", "z"),
        ("d.getNode('//output').getFirstChild().getNodeValue()", "a & b < é"),
        ("d.getNode('//output').getNodeValue()", None),
        ("d.getNodeText('//raw')", "<&"),
        ("d.getNode('//raw').getFirstChild().isCDATANode()", False),
        ("var i = d.getNode('//list').getChildNodeIterator(); i.next(); i.next().getTextContent()", "y"),
        ("var i = d.getNode('//list').getChildNodeIterator(); i.next(); i.next(); i.next(); i.hasNext()", False),
    ],
)  # fmt: skip
def test_reading(instance: Instance, expression: str, value: object) -> None:
    assert instance.script(DOCUMENT + expression, scope="x_one") == value


def test_cdata_can_be_kept_apart(instance: Instance) -> None:
    source = """
        var d = new XMLDocument2();
        d.setEnableCDATAReporting(true);
        d.parseXML('<a><![CDATA[x]]></a>');
        d.getNode('/a').getFirstChild().isCDATANode();
    """

    assert instance.script(source) is True


def test_texts_are_strings_of_the_script(instance: Instance) -> None:
    source = DOCUMENT + "typeof d.getNodeText('//output') + (d.getNodeText('//list/item') === 'x')"

    assert instance.script(source) == "stringtrue"


def test_writing(instance: Instance) -> None:
    source = """
        var d = new XMLDocument2();
        d.parseXML('<a/>');
        var b = d.createElement('b');
        d.setCurrentElement(b);
        d.createElementWithTextValue('c', 'x < y & "z"');
        '' + d;
    """

    assert instance.script(source) == (
        '<?xml version="1.0" encoding="UTF-8"?><a><b><c>x &lt; y &amp; "z"</c></b></a>'
    )


def test_a_document_can_be_begun_from_nothing(instance: Instance) -> None:
    source = (
        "var d = new XMLDocument2(); d.createElement('a'); d.createElementWithTextValue('b', 1); d.toString()"
    )

    assert instance.script(source).endswith("<a><b>1</b></a>")


@pytest.mark.parametrize(
    "text",
    [r"<a>\u001b[0m</a>", "<a>&#27;</a>", r"<a b=\"\u0001\"/>", "<a>", "", "<!DOCTYPE a><a/>", "<a/><b/>"],
    ids=["escape", "escaped escape", "attribute", "open", "empty", "document type", "two roots"],
)
def test_what_is_no_document_is_refused_as_a_whole(instance: Instance, text: str) -> None:
    source = f'var d = new XMLDocument2(); d.parseXML("{text}") + " " + d'

    assert instance.script(source) == "false "


def test_line_breaks_travel_as_the_standard_says(instance: Instance) -> None:
    source = r"""
        var d = new XMLDocument2();
        d.parseXML('<a raw="x\ny" kept="x&#10;y"><t>x\r\ny</t><k>x&#13;&#10;y</k></a>');
        var a = d.getDocumentElement();
        JSON.stringify([a.getAttribute('raw'), a.getAttribute('kept'), d.getNodeText('//t'), d.getNodeText('//k')]);
    """

    assert json.loads(instance.script(source)) == ["x y", "x\ny", "x\ny", "x\r\ny"]


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("d.getNode('//missing').getTextContent()", "of null"),
        ("d.getNextNode(null)", "NullPointerException"),
        ("d.setCurrentElement(null)", "NullPointerException"),
        ("new XMLDocument2().getNode('/a')", "NullPointerException"),
        ("d.getFirstNode('//item[2]')", "does not take positions"),
        ("d.getFirstNode('//item[last()]')", "does not take positions"),
        ("d.getDocumentElement().setAttribute('a', 'b')", "Cannot find function setAttribute"),
    ],
)
def test_what_fails_on_the_platform_fails_here(instance: Instance, expression: str, complaint: str) -> None:
    with pytest.raises(ScriptError, match=complaint.replace("(", r"\(")):
        instance.script(DOCUMENT + expression, scope="x_one")


@pytest.mark.parametrize("name", ["GlideXMLDocument", "GlideXMLUtil", "XMLHelper"])
def test_global_classes_are_not_in_an_application(instance: Instance, name: str) -> None:
    assert instance.script(f"typeof {name}", scope="x_one") == "undefined"


def test_a_document_becomes_json(instance: Instance) -> None:
    source = 'gs.xmlToJSON(\'<a n="1"><b>x</b><b>y</b><c/><d k="v">t</d></a>\')'

    assert json.loads(instance.script(source, scope="x_one")) == {
        "a": {"@n": "1", "b": ["x", "y"], "c": "", "d": {"@k": "v", "#text": "t"}}
    }
