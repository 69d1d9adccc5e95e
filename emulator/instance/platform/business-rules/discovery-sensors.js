(function executeRule(current) {
    var NOT_MINE = ['HeartbeatProbe', 'config.file', 'SystemCommand', 'ConnectorProbe', 'IPaaSActionProbe'];
    var topic = '' + current.topic;
    var input = new GlideRecord('ecc_queue');

    function isMine() {
        return !/^(queue\.|MIDExtension)/.test(topic) && NOT_MINE.indexOf(topic) < 0 &&
            ('' + current.agent_correlator).indexOf('rba.') !== 0;
    }

    function payload() {
        var text = '' + current.payload;
        return text === '<see_attachment/>' ? '' + new GlideSysAttachment().get(current, 'payload') : text;
    }

    function skips() {
        var document = new XMLDocument2();
        var node = document.parseXML(payload()) ?
            document.getNode('/results/parameters/parameter[@name=\'skip_sensor\']') : null;
        return node !== null && '' + node.getAttribute('value') === 'true';
    }

    if (isMine() && !skips() && input.get(current.getUniqueValue())) {
        input.setValue('state', 'error');
        input.setValue('error_string', 'No sensors defined');
        input.update();
    }
})(current);
