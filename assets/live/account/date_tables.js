// A worker that makes the browser read its tables of dates (time.js), and ends.

new Intl.DateTimeFormat("pt-BR", { timeStyle: "short", timeZone: "America/Sao_Paulo" });
self.close();
