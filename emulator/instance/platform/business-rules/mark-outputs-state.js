(function executeRule(current) {
    // From which state a message may move an output.
    var FROM = {processing: ['ready', 'processing'], cancelled: ['ready', 'processing']};
    var input = new GlideRecord('ecc_queue');

    function move(sysId, state) {
        var output = new GlideRecord('ecc_queue');
        if (!FROM.hasOwnProperty(state) || !output.get(sysId) || FROM[state].indexOf('' + output.state) < 0) {
            return;
        }
        if (output.processed.nil()) {
            output.setValue('processed', new GlideDateTime().getValue());
        }
        output.setValue('state', state);
        output.update();
    }

    function apply() {
        var document = new XMLDocument2();
        var nodes;
        var node;
        if (!document.parseXML('' + current.payload)) {
            return;
        }
        nodes = document.getDocumentElement().getChildNodeIterator();
        while (nodes.hasNext()) {
            node = nodes.next();
            if ('' + node.getNodeName() === 'sys_id') {
                move('' + node.getTextContent(), '' + node.getAttribute('state'));
            }
        }
    }

    apply();
    if (input.get(current.getUniqueValue())) {
        input.setValue('state', 'processed');
        input.update();
    }
})(current);
