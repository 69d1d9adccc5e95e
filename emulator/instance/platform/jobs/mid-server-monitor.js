// Asks each MID Server whether it lives; one that has left the last question lying for too long is down.
(function monitor() {
    var SILENT_S = parseInt(gs.getProperty('mid_server.heartbeat.silent_seconds', '300'), 10);
    var agent = new GlideRecord('ecc_agent');

    // The question that was not picked up; null when there is none.
    function open(name) {
        var output = new GlideRecord('ecc_queue');
        output.addQuery('agent', 'mid.server.' + name);
        output.addQuery('queue', 'output');
        output.addQuery('topic', 'HeartbeatProbe');
        output.addQuery('state', 'ready');
        output.query();
        return output.next() ? output : null;
    }

    function ask(name) {
        var output = new GlideRecord('ecc_queue');
        output.initialize();
        output.setValue('agent', 'mid.server.' + name);
        output.setValue('topic', 'HeartbeatProbe');
        output.setValue('name', 'HeartbeatProbe');
        output.setValue('queue', 'output');
        output.setValue('state', 'ready');
        output.setValue('priority', '0');
        output.setValue('payload', '<parameters><parameter name="skip_sensor" value="true"/></parameters>');
        output.insert();
    }

    function isOld(output) {
        var asked = new GlideDateTime('' + output.sys_created_on).getNumericValue();
        return new GlideDateTime().getNumericValue() - asked >= SILENT_S * 1000;
    }

    function look() {
        var question = open('' + agent.name);
        if (question === null) {
            ask('' + agent.name);
        } else if (isOld(question) && '' + agent.status === 'Up') {
            agent.setValue('status', 'Down');
            agent.setValue('stopped', new GlideDateTime().getValue());
            agent.update();
        }
    }

    agent.query();
    while (agent.next()) {
        look();
    }
})();
