//! What the hosted page says, in the languages of the form's `lang`.

/// The words of one language.
pub(super) struct Texts {
    pub(super) language: &'static str,
    pub(super) direction: &'static str,
    pub(super) title: &'static str,
    pub(super) amount: &'static str,
    pub(super) order: &'static str,
    pub(super) card: &'static str,
    pub(super) expiry: &'static str,
    pub(super) pay: &'static str,
    pub(super) leave: &'static str,
    pub(super) prove: &'static str,
    pub(super) code: &'static str,
    pub(super) confirm: &'static str,
    pub(super) back: &'static str,
    pub(super) declined: &'static str,
    pub(super) refused: &'static str,
    pub(super) test_cards: &'static str,
    unknown_card: &'static str,
    wrong_expiry: &'static str,
    wrong_cvc: &'static str,
    no_card: &'static str,
}

impl Texts {
    /// What is wrong with what was typed.
    pub(super) fn fault(&self, fault: &str) -> &'static str {
        match fault {
            "unknown_card" => self.unknown_card,
            "wrong_expiry" => self.wrong_expiry,
            "wrong_cvc" => self.wrong_cvc,
            _ => self.no_card,
        }
    }
}

/// Those of a language; French where it is not known.
pub(super) fn of(language: &str) -> &'static Texts {
    match language {
        "ar" => &ARABIC,
        "en" => &ENGLISH,
        _ => &FRENCH,
    }
}

static ARABIC: Texts = Texts {
    language: "ar",
    direction: "rtl",
    title: "الأداء بالبطاقة البنكية",
    amount: "المبلغ",
    order: "الطلب",
    card: "رقم البطاقة",
    expiry: "تاريخ انتهاء الصلاحية (شهر/سنة)",
    pay: "أداء",
    leave: "التخلي عن الأداء",
    prove: "أدخلوا الرمز الذي أرسله إليكم بنككم",
    code: "الرمز",
    confirm: "تأكيد",
    back: "العودة إلى الموقع",
    declined: "رُفض الأداء. يمكنكم المحاولة من جديد ببطاقة أخرى.",
    refused: "لا يمكن إجراء هذا الأداء",
    test_cards: "بطاقات الاختبار",
    unknown_card: "هذا الرقم ليس لبطاقة اختبار.",
    wrong_expiry: "اكتبوا تاريخ انتهاء الصلاحية هكذا: 12/30.",
    wrong_cvc: "رمز التحقق مكوّن من ثلاثة أرقام.",
    no_card: "أدخلوا رقم البطاقة أولا.",
};

static FRENCH: Texts = Texts {
    language: "fr",
    direction: "ltr",
    title: "Paiement par carte bancaire",
    amount: "Montant",
    order: "Commande",
    card: "Numéro de carte",
    expiry: "Date d’expiration (MM/AA)",
    pay: "Payer",
    leave: "Abandonner le paiement",
    prove: "Saisissez le code que votre banque vous a envoyé",
    code: "Code",
    confirm: "Confirmer",
    back: "Retourner au site",
    declined: "Le paiement est refusé. Vous pouvez essayer avec une autre carte.",
    refused: "Ce paiement ne peut pas se faire",
    test_cards: "Cartes de test",
    unknown_card: "Ce numéro n’est pas celui d’une carte de test.",
    wrong_expiry: "Écrivez la date d’expiration ainsi : 12/30.",
    wrong_cvc: "Le code de vérification a trois chiffres.",
    no_card: "Saisissez d’abord la carte.",
};

static ENGLISH: Texts = Texts {
    language: "en",
    direction: "ltr",
    title: "Payment by card",
    amount: "Amount",
    order: "Order",
    card: "Card number",
    expiry: "Expiry date (MM/YY)",
    pay: "Pay",
    leave: "Give up",
    prove: "Enter the code that your bank has sent you",
    code: "Code",
    confirm: "Confirm",
    back: "Back to the site",
    declined: "The payment was declined. You can try with another card.",
    refused: "This payment cannot be made",
    test_cards: "Test cards",
    unknown_card: "This is not the number of a test card.",
    wrong_expiry: "Write the expiry date like this: 12/30.",
    wrong_cvc: "The verification code has three digits.",
    no_card: "Enter the card first.",
};
