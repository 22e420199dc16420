import Metering

extension PeriodStatement {
    /// The members of a JSON object, with commas between: `providers`, `models`, the sums, and the
    /// `invoice` in its currency.
    func jsonMembers(_ invoice: Invoice, currency: String) -> String {
        let providers = providers.sorted { $0.key < $1.key }.map { name, provider in
            "\(jsonText(name)):{\"tokens\":\(provider.tokens),"
                + "\"discount_bp\":\(provider.discountBasisPoints)}"
        }
        let models = models.sorted { $0.key < $1.key }.map { name, sums in
            "\(jsonText(name)):{\"records\":\(sums.records),"
                + "\"breached_records\":\(sums.breachedRecords),\(sums.jsonMembers)}"
        }
        return """
            "providers":{\(providers.joined(separator: ","))},\
            "models":{\(models.joined(separator: ","))},\(total.jsonMembers),\
            "invoice":{\(invoice.jsonMembers(currency: currency))}
            """
    }
}

extension ChargeSums {
    /// What the records cost, in dollars.
    var jsonMembers: String {
        """
        "subtotal":"\(subtotal.text(decimals: 9))",\
        "discount":"\(discount.text(decimals: 9))",\
        "sla_penalty":"\(penalty.text(decimals: 9))",\
        "charge":"\(charge.text(decimals: 9))"
        """
    }
}

extension Invoice {
    fileprivate func jsonMembers(currency: String) -> String {
        let lines = lines.map { line in
            "{\"model\":\(jsonText(line.model)),"
                + "\"amount\":\"\(line.amount.text(decimals: decimals))\"}"
        }
        return """
            "currency":\(jsonText(currency)),"lines":[\(lines.joined(separator: ","))],\
            "net":"\(net.text(decimals: decimals))",\
            "vat_category":"\(tax.category.rawValue)",\
            "vat_rate_bp":\(tax.basisPoints),\
            "vat":"\(vat.text(decimals: decimals))",\
            "gross":"\(gross.text(decimals: decimals))",\
            "rounding_residual":"\(residual.text(decimals: 15))"
            """
    }
}

extension Int128 {
    /// The number, counted in 10^-decimals, as text with exactly so many decimals.
    func text(decimals: Int) -> String {
        let digits = String(magnitude)
        let padded =
            String(repeating: "0", count: Swift.max(0, decimals + 1 - digits.count)) + digits
        let sign = self < 0 ? "-" : ""
        guard decimals > 0 else { return sign + padded }
        return "\(sign)\(padded.dropLast(decimals)).\(padded.suffix(decimals))"
    }
}
