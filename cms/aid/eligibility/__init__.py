"""Who can have an aid: rules that editors compose, evaluated for what is known of a company.

    truth, known, clauses   yes / no / unknown, what may be known of a fact, what a rule is made of
    compiled, cells         a rule made ready for counting, and the answers that it tells apart
    evaluation              the verdict, the clauses that decide it, what would change it
    questionnaire           which question to ask next, so that the fewest are asked
    conflicts               rules that nobody can meet, or that everybody meets
    wording, blocks         the same in sentences, and in the editor's form
    profile, answers, views a company's data, a visitor's answers, their pages

Down to `conflicts` there is no database: what they need of sectors and municipalities comes from the files.
"""
