// The queue is a rotated table: what is older than a week goes. [r_DiscoveryStatusECCQueue]
(function rotate() {
    var DAYS = 7;
    var limit = new GlideDateTime();
    var old = new GlideRecord('ecc_queue');
    limit.addDaysUTC(-DAYS);
    old.addQuery('sys_created_on', '<', limit.getValue());
    old.setWorkflow(false);
    old.deleteMultiple();
})();
