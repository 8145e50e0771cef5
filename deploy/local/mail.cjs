// maildev ends when a client leaves in the middle of a TLS handshake. A mail server does not: such errors are written
// down instead. And it answers before it has stored: a mail server answers afterwards, so that what it took can be found.
// Called with maildev's folder and its options.
const fs = require('fs');
const [node, script, folder, ...options] = process.argv;
const mailserver = require(`${folder}/lib/mailserver`);
mailserver.onSmtpError = (error) => console.error(`smtp: ${error.message}`);
process.argv = [node, script, ...options];
const maildev = new (require(folder))();

const whole = (mail) =>
  (mail.attachments ?? []).every(({ contentId, length }) => {
    const file = `${mailserver.mailDir}/${mail.id}/${contentId}`;
    return fs.statSync(file, { throwIfNoEntry: false })?.size >= (length ?? 0);
  });

const take = mailserver.smtp.onData;
mailserver.smtp.onData = (stream, session, answer) =>
  take(stream, session, (error, text) => {
    const id = text?.split(' ').pop();
    const look = () => {
      const mail = mailserver.store.findLast((mail) => mail.id === id);
      if (mail && whole(mail)) answer(null, text);
      else setTimeout(look, 5);
    };
    if (error) answer(error);
    else look();
  });

maildev.listen();
