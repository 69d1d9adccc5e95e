(function executeRule() {
    var agent = new GlideRecord('ecc_agent');
    var output;
    agent.addQuery('status', 'Up');
    agent.query();
    while (agent.next()) {
        output = new GlideRecord('ecc_queue');
        output.initialize();
        output.setValue('agent', 'mid.server.' + agent.getValue('name'));
        output.setValue('topic', 'SystemCommand');
        output.setValue('name', 'reload_script_includes');
        output.setValue('queue', 'output');
        output.setValue('state', 'ready');
        output.setValue('priority', '0');
        output.setValue('payload', '<parameters><parameter name="skip_sensor" value="true"/></parameters>');
        output.insert();
    }
})();
