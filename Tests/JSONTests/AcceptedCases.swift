/// Texts that a parser of RFC 8259 must accept, by the names of the JSON parsing test suite, and
/// those of its implementation-defined ones that dynarc accepts.
enum AcceptedCases {
  static let arrays: [ParsingCase] = [
    ParsingCase("y_array_arraysWithSpaces", "[[]   ]"),
    ParsingCase("y_array_empty", "[]"),
    ParsingCase("y_array_empty-string", #"[""]"#),
    ParsingCase("y_array_ending_with_newline", "[\"a\"]\n"),
    ParsingCase("y_array_false", "[false]"),
    ParsingCase("y_array_heterogeneous", #"[null, 1, "1", {}]"#),
    ParsingCase("y_array_null", "[null]"),
    ParsingCase("y_array_with_1_and_newline", "[1\n]"),
    ParsingCase("y_array_with_leading_space", " [1]"),
    ParsingCase("y_array_with_several_null", "[1,null,null,null,2]"),
    ParsingCase("y_array_with_trailing_space", "[2] "),
  ]

  static let numbers: [ParsingCase] = [
    ParsingCase("y_number", "[123e65]"),
    ParsingCase("y_number_0e+1", "[0e+1]"),
    ParsingCase("y_number_0e1", "[0e1]"),
    ParsingCase("y_number_after_space", "[ 4]"),
    ParsingCase(
      "y_number_double_close_to_zero", "[-0.\(String(repeating: "0", count: 77))1]"),
    ParsingCase("y_number_int_with_exp", "[20e1]"),
    ParsingCase("y_number_minus_zero", "[-0]"),
    ParsingCase("y_number_negative_int", "[-123]"),
    ParsingCase("y_number_negative_one", "[-1]"),
    ParsingCase("y_number_negative_zero", "[-0.0]"),
    ParsingCase("y_number_real_capital_e", "[1E22]"),
    ParsingCase("y_number_real_capital_e_neg_exp", "[1E-2]"),
    ParsingCase("y_number_real_capital_e_pos_exp", "[1E+2]"),
    ParsingCase("y_number_real_exponent", "[123e45]"),
    ParsingCase("y_number_real_fraction_exponent", "[123.456e78]"),
    ParsingCase("y_number_real_neg_exp", "[1e-2]"),
    ParsingCase("y_number_real_pos_exponent", "[1e+2]"),
    ParsingCase("y_number_simple_int", "[123]"),
    ParsingCase("y_number_simple_real", "[123.456789]"),
    // Range and precision are no matter of grammar: numbers keep their spelling.
    ParsingCase("i_number_double_huge_neg_exp", "[123.456e-789]"),
    ParsingCase("i_number_huge_exp", "[0.4e00669999999999999999999999999999999999999]"),
    ParsingCase("i_number_neg_int_huge_exp", "[-1e+9999]"),
    ParsingCase("i_number_pos_double_huge_exp", "[1.5e+9999]"),
    ParsingCase("i_number_real_neg_overflow", "[-123123e100000]"),
    ParsingCase("i_number_real_pos_overflow", "[123123e100000]"),
    ParsingCase("i_number_real_underflow", "[123e-10000000]"),
    ParsingCase("i_number_too_big_neg_int", "[-123123123123123123123123123123]"),
    ParsingCase("i_number_too_big_pos_int", "[100000000000000000000]"),
    ParsingCase(
      "i_number_very_big_negative_int", "[-237462374673276894279832749832423479823246327846]"),
  ]

  static let objects: [ParsingCase] = [
    ParsingCase("y_object", #"{"asd":"sdf", "dfg":"fgh"}"#),
    ParsingCase("y_object_basic", #"{"asd":"sdf"}"#),
    ParsingCase("y_object_empty", "{}"),
    ParsingCase("y_object_empty_key", #"{"":0}"#),
    ParsingCase("y_object_escaped_null_in_key", #"{"foo\u0000bar": 42}"#),
    ParsingCase("y_object_extreme_numbers", #"{ "min": -1.0e+28, "max": 1.0e+28 }"#),
    ParsingCase(
      "y_object_long_strings",
      #"{"x":[{"id": "\#(String(repeating: "x", count: 40))"}], "id": "xxx"}"#),
    ParsingCase("y_object_simple", #"{"a":[]}"#),
    ParsingCase("y_object_string_unicode", #"{"title":"\u041f\u043e\u043b\u0442\u043e\u0440"}"#),
    ParsingCase("y_object_with_newlines", "{\n\"a\": \"b\"\n}"),
  ]

  /// Grammar allows these; `JSONValue` refuses them, since nobody can say which member counts.
  static let duplicates: [ParsingCase] = [
    ParsingCase("y_object_duplicated_key", #"{"a":"b","a":"c"}"#),
    ParsingCase("y_object_duplicated_key_and_value", #"{"a":"b","a":"b"}"#),
  ]

  static let strings: [ParsingCase] = [
    ParsingCase("y_string_1_2_3_bytes_UTF-8_sequences", #"["\u0060\u012a\u12AB"]"#),
    ParsingCase("y_string_accepted_surrogate_pair", #"["\uD801\udc37"]"#),
    ParsingCase("y_string_accepted_surrogate_pairs", #"["\ud83d\ude39\ud83d\udc8d"]"#),
    ParsingCase("y_string_allowed_escapes", #"["\"\\\/\b\f\n\r\t"]"#),
    ParsingCase("y_string_backslash_and_u_escaped_zero", #"["\\u0000"]"#),
    ParsingCase("y_string_backslash_doublequotes", #"["\""]"#),
    ParsingCase("y_string_comments", #"["a/*b*/c/*d//e"]"#),
    ParsingCase("y_string_double_escape_a", #"["\\a"]"#),
    ParsingCase("y_string_double_escape_n", #"["\\n"]"#),
    ParsingCase("y_string_escaped_control_character", #"["\u0012"]"#),
    ParsingCase("y_string_escaped_noncharacter", #"["\uFFFF"]"#),
    ParsingCase("y_string_in_array", #"["asd"]"#),
    ParsingCase("y_string_in_array_with_leading_space", #"[ "asd"]"#),
    ParsingCase("y_string_last_surrogates_1_and_2", #"["\uDBFF\uDFFF"]"#),
    ParsingCase("y_string_nbsp_uescaped", #"["new\u00A0line"]"#),
    ParsingCase("y_string_nonCharacterInUTF-8_U+10FFFF", "[\"‹F4 8F BF BF›\"]"),
    ParsingCase("y_string_nonCharacterInUTF-8_U+FFFF", "[\"‹EF BF BF›\"]"),
    ParsingCase("y_string_null_escape", #"["\u0000"]"#),
    ParsingCase("y_string_one-byte-utf-8", #"["\u002c"]"#),
    ParsingCase("y_string_pi", "[\"π\"]"),
    ParsingCase("y_string_reservedCharacterInUTF-8_U+1BFFF", "[\"‹F0 9B BF BF›\"]"),
    ParsingCase("y_string_simple_ascii", #"["asd "]"#),
    ParsingCase("y_string_space", #"" ""#),
    ParsingCase("y_string_surrogates_U+1D11E_MUSICAL_SYMBOL_G_CLEF", #"["\uD834\uDd1e"]"#),
    ParsingCase("y_string_three-byte-utf-8", #"["\u0821"]"#),
    ParsingCase("y_string_two-byte-utf-8", #"["\u0123"]"#),
    ParsingCase("y_string_u+2028_line_sep", "[\"\u{2028}\"]"),
    ParsingCase("y_string_u+2029_par_sep", "[\"\u{2029}\"]"),
    ParsingCase("y_string_uEscape", #"["\u0061\u30af\u30EA\u30b9"]"#),
    ParsingCase("y_string_uescaped_newline", #"["new\u000Aline"]"#),
    ParsingCase("y_string_unescaped_char_delete", "[\"\u{7F}\"]"),
    ParsingCase("y_string_unicode", #"["\uA66D"]"#),
    ParsingCase("y_string_unicodeEscapedBackslash", #"["\u005C"]"#),
    ParsingCase("y_string_unicode_2", "[\"⍂㈴⍂\"]"),
    ParsingCase("y_string_unicode_U+10FFFE_nonchar", #"["\uDBFF\uDFFE"]"#),
    ParsingCase("y_string_unicode_U+1FFFE_nonchar", #"["\uD83F\uDFFE"]"#),
    ParsingCase("y_string_unicode_U+200B_ZERO_WIDTH_SPACE", #"["\u200B"]"#),
    ParsingCase("y_string_unicode_U+2064_invisible_plus", #"["\u2064"]"#),
    ParsingCase("y_string_unicode_U+FDD0_nonchar", #"["\uFDD0"]"#),
    ParsingCase("y_string_unicode_U+FFFE_nonchar", #"["\uFFFE"]"#),
    ParsingCase("y_string_unicode_escaped_double_quote", #"["\u0022"]"#),
    ParsingCase("y_string_utf8", "[\"€𝄞\"]"),
    ParsingCase("y_string_with_del_character", "[\"a\u{7F}a\"]"),
  ]

  static let structures: [ParsingCase] = [
    ParsingCase("y_structure_lonely_false", "false"),
    ParsingCase("y_structure_lonely_int", "42"),
    ParsingCase("y_structure_lonely_negative_real", "-0.1"),
    ParsingCase("y_structure_lonely_null", "null"),
    ParsingCase("y_structure_lonely_string", #""asd""#),
    ParsingCase("y_structure_lonely_true", "true"),
    ParsingCase("y_structure_string_empty", #""""#),
    ParsingCase("y_structure_trailing_newline", "[\"a\"]\n"),
    ParsingCase("y_structure_true_in_array", "[true]"),
    ParsingCase("y_structure_whitespace_array", " [] "),
    ParsingCase("whitespace_of_all_kinds", "\t\r\n {\t\r\n \"a\"\t\r\n :\t\r\n 1\t\r\n }\t\r\n "),
    ParsingCase("128_nested_arrays", nested("[", 128, "]")),
    ParsingCase("128_nested_objects", nested(#"{"a":"#, 127, "}", inside: "{}")),
  ]

  static var all: [ParsingCase] { arrays + numbers + objects + strings + structures }
}
