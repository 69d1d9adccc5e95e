(function executeRule(current) {
    var OPEN = ['ready', 'processing'];
    var output = new GlideRecord('ecc_queue');
    if (output.get('' + current.response_to) && OPEN.indexOf('' + output.state) >= 0) {
        output.setValue('state', 'processed');
        output.update();
    }
})(current);
