(function process(request, response) {
    new ClaudeTerminalRest(request, response).reply(202, function (api, call) {
        return api.storeCredential(call.body());
    });
})(request, response);
