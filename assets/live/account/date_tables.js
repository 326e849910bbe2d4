// Worker: makes the browser load its date tables (time.js), and ends.

new Intl.DateTimeFormat("pt-BR", { timeStyle: "short", timeZone: "America/Sao_Paulo" });
self.close();
