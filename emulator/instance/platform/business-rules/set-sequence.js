// Rows of one millisecond keep the order of their insertion without help.
(function executeRule(current) {
    current.setValue('sequence', new Date().getTime().toString(16) + '0000001');
})(current);
