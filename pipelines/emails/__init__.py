"""
E-mail about notifications: what a mail says, whom it may go to, and what follows from how an attempt ended.

1. Whom: somebody who is active and has an address that is not our own (`recipients`).
2. What: subject and lead in the recipient's language, the notification's own text, a link to the ticket (`writing`, `texts`).
3. Which: one Message-ID per delivery, however often it is attempted; mails about one ticket form one thread (`identity`).
4. Stop: every mail carries a signed link that ends mails of its kind (`unsubscribing`).
5. And then: sent, refused for good, or tried again, 3 times at most, 60 s times the number of the retry apart (`attempts`).
6. What comes back later: a bounce names the mail it is about (`bounces`).
"""
