// maildev ends when a client leaves in the middle of a TLS handshake. A mail server does not: such errors are written
// down instead. Called with maildev's folder and its options.
const [node, script, folder, ...options] = process.argv;
require(`${folder}/lib/mailserver`).onSmtpError = (error) => console.error(`smtp: ${error.message}`);
process.argv = [node, script, ...options];
new (require(folder))().listen();
